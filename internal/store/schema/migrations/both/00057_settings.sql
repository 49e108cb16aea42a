-- +goose Up

-- Each change of settings in the admin has a revision. Nodes read the newest one to see whether they
-- must take new settings.
CREATE TABLE setting_revisions (
    revision BIGINT PRIMARY KEY,
    by_name  TEXT NOT NULL,
    at       BIGINT NOT NULL
);

-- What was changed, in order; rows are only added. Values are JSON. An empty value means that the
-- value of config.yaml applies. file_value is the value of config.yaml at that time.
CREATE TABLE setting_changes (
    revision   BIGINT NOT NULL REFERENCES setting_revisions (revision),
    setting    TEXT NOT NULL,
    value      TEXT NOT NULL,
    file_value TEXT NOT NULL,
    PRIMARY KEY (setting, revision)
);
CREATE INDEX setting_changes_revision ON setting_changes (revision, setting);

-- The values that apply now in place of those of config.yaml.
CREATE TABLE settings (
    setting    TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    file_value TEXT NOT NULL,
    revision   BIGINT NOT NULL REFERENCES setting_revisions (revision)
);
