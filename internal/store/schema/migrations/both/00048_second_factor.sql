-- +goose Up

-- An editor's authenticator app. Without confirmed it is not used yet. last_step is the last
-- 30-second step whose code was used, so that no code works twice.
CREATE TABLE editor_factors (
    editor    BIGINT PRIMARY KEY REFERENCES editors (id) ON DELETE CASCADE,
    secret    TEXT NOT NULL,
    confirmed BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);

-- Hashes of the codes that replace the app once each.
CREATE TABLE editor_recovery_codes (
    editor BIGINT NOT NULL REFERENCES editors (id) ON DELETE CASCADE,
    hash   TEXT NOT NULL,
    PRIMARY KEY (editor, hash)
);

-- When the editor last proved who they are in this session.
ALTER TABLE sessions ADD COLUMN proved BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET proved = created;
