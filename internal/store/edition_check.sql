-- name: check.require
-- Leaves a draft that no editor had to approve to an editor after all. Index: editions_id.
UPDATE editions SET automatic = 0, held = $2 WHERE id = $1 AND state = 'draft' AND automatic = 1;
