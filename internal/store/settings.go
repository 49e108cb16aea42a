package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tidings-press/tidings/internal/store/schema"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// Setting is a value that an editor set. It replaces the value in config.yaml.
type Setting struct {
	Key      string // such as "site.title" or "digests[weekly].schedule"
	Value    string // in JSON; in a change, empty for the value of config.yaml
	File     string // the value of config.yaml when it was set, in JSON
	Revision int64
	By       string
	At       time.Time
}

// Bounds of the settings.
const (
	MaxSettings     = 2000
	MaxSettingBytes = 64 << 10
)

// ErrSettingsChanged reports that other settings were stored in the meantime.
var ErrSettingsChanged = errors.New("the settings were changed in the meantime; try again")

// SettingsRevision returns the revision of the settings, which grows with each change.
func (s *Store) SettingsRevision(ctx context.Context) (int64, error) {
	var revision int64
	_, err := s.readers.One(ctx, "setting.revision", nil, &revision)
	return revision, err
}

// Settings returns the stored settings, by key.
func (s *Store) Settings(ctx context.Context) ([]Setting, error) {
	return s.readers.settings(ctx, "setting.list", MaxSettings)
}

// SettingChanges returns the newest changes after a revision, the newest first.
func (s *Store) SettingChanges(ctx context.Context, after int64, limit int) ([]Setting, error) {
	return s.readers.settings(ctx, "setting.changes", after, limit)
}

// SettingBefore returns the value that was stored for a key at a revision; empty if there was none.
func (s *Store) SettingBefore(ctx context.Context, key string, revision int64) (value string, err error) {
	_, err = s.readers.One(ctx, "setting.before", []any{key, revision}, &value)
	return value, err
}

// ReadSettings returns the settings in the store at a DSN without creating it or changing its schema;
// none if it does not exist yet, or is older than settings.
func ReadSettings(ctx context.Context, dsn string, opts Options) ([]Setting, error) {
	if engine, path, err := sqldb.ParseDSN(dsn); err == nil && engine == SQLite {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	s, err := connect(ctx, dsn, opts)
	if err != nil {
		return nil, err
	}
	there, err := schema.HasTable(ctx, s.engine, s.DB(), "settings")
	var out []Setting
	if err == nil && there {
		out, err = s.Settings(ctx)
	}
	return out, errors.Join(err, s.Close())
}

func (c *conn) settings(ctx context.Context, query string, args ...any) ([]Setting, error) {
	var out []Setting
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var v Setting
		var at int64
		err := rows.Scan(&v.Key, &v.Value, &v.File, &v.Revision, &v.By, &at)
		v.At = timeOf(at)
		out = append(out, v)
		return err
	})
	return out, err
}

// ChangeSettings stores changes, all or none, as the revision after the one that was read. A change
// without a value removes the stored one. by is the editor. It returns the new revision, or
// ErrSettingsChanged if the settings have another revision by now.
func (s *Store) ChangeSettings(ctx context.Context, revision int64, by string, changes []Setting) (int64, error) {
	next := revision + 1
	err := s.write(ctx, func(tx *conn) error {
		var current int64
		if _, err := tx.One(ctx, "setting.revision", nil, &current); err != nil {
			return err
		}
		if current != revision {
			return ErrSettingsChanged
		}
		n, err := tx.Exec(ctx, "setting.claim", next, by, millis(s.Now()))
		if err == nil && n == 0 {
			err = ErrSettingsChanged
		}
		for i := 0; err == nil && i < len(changes); i++ {
			noteAuditObject(ctx, changes[i].Key)
			err = tx.changeSetting(ctx, next, changes[i])
		}
		return err
	})
	return next, err
}

func (c *conn) changeSetting(ctx context.Context, revision int64, v Setting) error {
	if len(v.Value) > MaxSettingBytes {
		return fmt.Errorf("%s has %d bytes; write at most %d", v.Key, len(v.Value), MaxSettingBytes)
	}
	if _, err := c.Exec(ctx, "setting.record", revision, v.Key, v.Value, v.File); err != nil {
		return err
	}
	if v.Value == "" {
		_, err := c.Exec(ctx, "setting.remove", v.Key)
		return err
	}
	if err := c.touchMedia(ctx, v.Value); err != nil {
		return err
	}
	_, err := c.Exec(ctx, "setting.put", v.Key, v.Value, v.File, revision)
	return err
}
