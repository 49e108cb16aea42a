-- +goose Up

-- Lists of subscribers that editors upload in the admin. report is that of the last run, in JSON;
-- before is the highest number of a subscriber at its start. The file and the refused lines are
-- removed after expires, which is 0 when nothing of them is left.
CREATE TABLE uploaded_lists (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    state    TEXT NOT NULL,
    revision BIGINT NOT NULL, -- of the settings
    settings TEXT NOT NULL, -- how it is imported, in JSON
    report   TEXT NOT NULL,
    lines    BIGINT NOT NULL, -- of the file, as the dry run counted them
    before   BIGINT NOT NULL,
    started  BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    editor   TEXT NOT NULL, -- address of the editor who uploaded it
    created  BIGINT NOT NULL,
    ended    BIGINT NOT NULL,
    expires  BIGINT NOT NULL
);
CREATE INDEX uploaded_lists_created ON uploaded_lists (created);
CREATE INDEX uploaded_lists_expires ON uploaded_lists (expires) WHERE expires > 0;

-- The file, cut into parts. The list's row is stored after them.
CREATE TABLE uploaded_list_parts (
    list TEXT NOT NULL,
    part BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (list, part)
);

-- The lines that the last run refused, the first ones of a long list.
CREATE TABLE uploaded_list_refusals (
    list     TEXT NOT NULL,
    number   BIGINT NOT NULL,
    line     BIGINT NOT NULL,
    reason   TEXT NOT NULL,
    heading  TEXT NOT NULL, -- of the column with the problem
    value    TEXT NOT NULL, -- of the cell with the problem
    PRIMARY KEY (list, number)
);
