-- +goose Up

-- How the editor of a session used a second factor: "own" for a code, a recovery code or a passkey,
-- "provider" if the sign-in provider said that it asked for several; empty for none.
ALTER TABLE sessions ADD COLUMN factor TEXT NOT NULL DEFAULT '';

-- With two-step sign-in on, each way of signing in took a code or a passkey.
UPDATE sessions SET factor = 'own' WHERE editor IN (SELECT editor FROM editor_factors WHERE confirmed > 0);
