-- +goose Up

-- Who did what in the admin or on the command line. An entry names a subscriber by number only, so
-- that erasing the subscriber leaves nothing personal in it.
CREATE TABLE audit_log (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      BIGINT NOT NULL,
    editor  BIGINT NOT NULL, -- number of the editor; 0 for the command line. Editors may be removed
    who     TEXT NOT NULL, -- address of the editor at that time, or "command line"
    action  TEXT NOT NULL, -- a keyword, such as edition.approve
    kind    TEXT NOT NULL, -- of the object, such as edition; empty for none
    object  TEXT NOT NULL, -- id of the object
    detail  TEXT NOT NULL,
    request TEXT NOT NULL, -- id of the request, as in the log of the server
    network TEXT NOT NULL -- of the client: a /24 of IPv4 or a /48 of IPv6
);
CREATE INDEX audit_log_at ON audit_log (at, id);
CREATE INDEX audit_log_who ON audit_log (who, at, id);
CREATE INDEX audit_log_action ON audit_log (action, at, id);
CREATE INDEX audit_log_object ON audit_log (kind, object, at, id);

-- The log is append-only: entries are never changed, and none is removed before it is a year old.
-- +goose StatementBegin
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
BEGIN
    SELECT raise(ABORT, 'entries of the audit log cannot be changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log WHEN OLD.at > (CAST(strftime('%s', 'now') AS INTEGER) - 365 * 86400) * 1000
BEGIN
    SELECT raise(ABORT, 'entries of the audit log are kept for a year');
END;
-- +goose StatementEnd
