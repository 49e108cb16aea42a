-- name: votes.add
-- Adds an answer, unless the edition has $4 already. Index: primary key.
INSERT INTO edition_votes (edition, helpful, unhelpful) VALUES ($1, $2, $3)
ON CONFLICT (edition) DO UPDATE SET helpful = edition_votes.helpful + excluded.helpful, unhelpful = edition_votes.unhelpful + excluded.unhelpful
WHERE edition_votes.helpful + edition_votes.unhelpful < $4;

-- name: votes.get
-- Index: primary key.
SELECT helpful, unhelpful FROM edition_votes WHERE edition = $1;
