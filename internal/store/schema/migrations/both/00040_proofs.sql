-- +goose Up

-- Why the schedule does not send a draft at its send_at: an editor holds it, or too few editors
-- had approved it by then. Empty if nothing holds it.
ALTER TABLE editions ADD COLUMN held TEXT NOT NULL DEFAULT '';

-- Who approved the content of a draft. The editor is 0 for the schedule and the command line.
CREATE TABLE edition_approvals (
    edition     BIGINT NOT NULL,
    editor      BIGINT NOT NULL,
    name        TEXT NOT NULL, -- the address of the editor at that time
    fingerprint TEXT NOT NULL, -- of the approved content
    at          BIGINT NOT NULL,
    PRIMARY KEY (edition, editor)
);
