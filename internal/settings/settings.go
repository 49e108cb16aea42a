// Package settings keeps what editors set in the admin: values in the store that replace
// those of config.yaml. Load applies them to a file's configuration; Manager.Change checks and stores
// changes.
package settings

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// Current are the settings of a store over those of a file.
type Current struct {
	Config   *config.Config // what applies
	Revision int64
	Stored   []store.Setting
}

// Load returns the settings that apply. The error is config.Problems if stored values do not fit the
// file.
func Load(ctx context.Context, s *store.Store, file *config.Config) (Current, error) {
	// The revision is read first: if the values are newer, the next look finds a newer revision.
	revision, err := s.SettingsRevision(ctx)
	if err != nil {
		return Current{}, err
	}
	stored, err := s.Settings(ctx)
	if err != nil {
		return Current{}, err
	}
	c, err := Apply(file, stored)
	return Current{Config: c, Revision: revision, Stored: stored}, err
}

// Apply returns a file's configuration with stored settings in place of its values.
func Apply(file *config.Config, stored []store.Setting) (*config.Config, error) {
	values := make([]config.Stored, len(stored))
	for i, s := range stored {
		values[i] = config.Stored{Key: s.Key, Value: s.Value}
	}
	c, err := file.With(values)
	var problems config.Problems
	if errors.As(err, &problems) {
		for i := range problems {
			if p := &problems[i]; p.File == config.StoredPlace {
				p.Fix = strings.TrimPrefix(p.Fix+", or run: tidings config unset '"+p.Key+"'", ", ")
			}
		}
	}
	return c, err
}

// Find returns the stored value of a key.
func (c Current) Find(key string) (store.Setting, bool) {
	i := slices.IndexFunc(c.Stored, func(s store.Setting) bool { return s.Key == key })
	if i < 0 {
		return store.Setting{}, false
	}
	return c.Stored[i], true
}

// FileChanged reports whether the file's value differs from what it was when a value was stored.
func (c Current) FileChanged(s store.Setting) bool {
	now, found := c.Config.File().Value(s.Key)
	return found && s.File != "" && now != s.File
}

// Change is a new value of a key.
type Change struct {
	Key   string
	Value string // in JSON; empty for the file's value
}

// ConflictError reports values that another editor changed since they were shown. Nothing was stored.
type ConflictError struct {
	Theirs []store.Setting // what the other editor stored
}

// Error implements error. It names each editor with what they changed.
func (e *ConflictError) Error() string {
	var editors []string
	keys := map[string][]string{}
	for _, s := range e.Theirs {
		if keys[s.By] == nil {
			editors = append(editors, s.By)
		}
		keys[s.By] = append(keys[s.By], s.Key)
	}
	for i, by := range editors {
		editors[i] = by + " changed " + strings.Join(keys[by], ", ")
	}
	return strings.Join(editors, ", ") + " in the meantime"
}

// Manager changes the settings of a store.
type Manager struct {
	Store *store.Store
	File  *config.Config
	// Check checks what package config cannot: the templates.
	Check func(*config.Config) error
	// Changed is called after a change was stored, and returns when this node has taken it. It may be nil.
	Changed func(ctx context.Context)
}

// Load returns the settings that apply now.
func (m *Manager) Load(ctx context.Context) (Current, error) { return Load(ctx, m.Store, m.File) }

// maxAttempts bounds how often a change is tried when other settings are changed at the same time.
const maxAttempts = 5

// Change checks changes and stores them, all or none. shown is the revision that the editor was shown;
// by is the editor. Values that are as before are no changes, and a value like the file's removes the
// stored one. It returns what was stored. Errors are config.Problems if the settings would not pass
// "tidings config check", and *ConflictError.
func (m *Manager) Change(ctx context.Context, shown int64, by string, changes []Change) ([]store.Setting, error) {
	for attempt := 1; ; attempt++ {
		rows, err := m.change(ctx, shown, by, changes)
		if errors.Is(err, store.ErrSettingsChanged) && attempt < maxAttempts {
			continue
		}
		if err == nil && len(rows) > 0 && m.Changed != nil {
			m.Changed(ctx)
		}
		return rows, err
	}
}

func (m *Manager) change(ctx context.Context, shown int64, by string, changes []Change) ([]store.Setting, error) {
	now, err := m.Load(ctx)
	if err != nil {
		return nil, err
	}
	changes, err = m.withoutConflicts(ctx, now, shown, changes)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	rows := now.rows(changes)
	next, err := Apply(m.File, now.with(rows))
	if err == nil && m.Check != nil {
		err = m.Check(next)
	}
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Value != "" && slices.Contains(next.Unused(), r.Key) {
			return nil, config.Problems{{File: config.StoredPlace, Key: r.Key, What: "its digest or feed does not exist", Fix: "use the name of one that the file or the admin has"}}
		}
	}
	for i := range rows {
		after, _ := next.Value(rows[i].Key)
		if file, found := m.File.Value(rows[i].Key); found && after == file {
			rows[i].Value = ""
		}
	}
	rows = slices.DeleteFunc(rows, func(r store.Setting) bool {
		_, stored := now.Find(r.Key)
		return r.Value == "" && !stored
	})
	if len(rows) == 0 {
		return nil, nil
	}
	_, err = m.Store.ChangeSettings(ctx, now.Revision, by, rows)
	return rows, err
}

// withoutConflicts returns the changes that change something now. It returns a *ConflictError if the
// editor changed a value that another one has changed since the revision that was shown.
func (m *Manager) withoutConflicts(ctx context.Context, now Current, shown int64, changes []Change) ([]Change, error) {
	others, err := m.Store.SettingChanges(ctx, shown, store.MaxSettings)
	if err != nil {
		return nil, err
	}
	var out []Change
	var conflict ConflictError
	for _, c := range changes {
		if !config.MaySet(c.Key) {
			return nil, config.Problems{{File: config.StoredPlace, Key: c.Key, What: "this key may not be set in the admin", Fix: "set it in the file"}}
		}
		if now.isAs(c) {
			continue
		}
		i := slices.IndexFunc(others, func(s store.Setting) bool { return s.Key == c.Key })
		if i >= 0 {
			was, err := m.valueAt(ctx, c.Key, shown)
			if err != nil {
				return nil, err
			}
			if was == c.Value { // the editor did not touch it
				continue
			}
			conflict.Theirs = append(conflict.Theirs, others[i])
		}
		out = append(out, c)
	}
	if len(conflict.Theirs) > 0 {
		return nil, &conflict
	}
	return out, nil
}

// valueAt returns the value of a key at a revision.
func (m *Manager) valueAt(ctx context.Context, key string, revision int64) (string, error) {
	value, err := m.Store.SettingBefore(ctx, key, revision)
	if err == nil && value == "" {
		value, _ = m.File.Value(key)
	}
	return value, err
}

// isAs reports whether a change changes nothing.
func (c Current) isAs(change Change) bool {
	if change.Value == "" {
		_, stored := c.Find(change.Key)
		return !stored
	}
	value, found := c.Config.Value(change.Key)
	return found && value == change.Value
}

// rows returns the rows to store for changes. When an entry such as "digests[weekly]" is removed, its
// keys are removed too.
func (c Current) rows(changes []Change) []store.Setting {
	var out []store.Setting
	add := func(key, value string) {
		if slices.ContainsFunc(out, func(s store.Setting) bool { return s.Key == key }) {
			return
		}
		file, _ := c.Config.File().Value(key)
		out = append(out, store.Setting{Key: key, Value: value, File: file})
	}
	for _, change := range changes {
		add(change.Key, change.Value)
		if change.Value != "" || !strings.HasSuffix(change.Key, "]") {
			continue
		}
		for _, s := range c.Stored {
			if strings.HasPrefix(s.Key, change.Key+".") {
				add(s.Key, "")
			}
		}
	}
	return out
}

// with returns the stored values after a change.
func (c Current) with(rows []store.Setting) []store.Setting {
	out := slices.Clone(c.Stored)
	for _, row := range rows {
		out = slices.DeleteFunc(out, func(s store.Setting) bool { return s.Key == row.Key })
		if row.Value != "" {
			out = append(out, row)
		}
	}
	return out
}

// Unset removes the stored value of a key without a check of the others, so that it works also if
// stored values do not fit the file. It returns what was removed.
func (m *Manager) Unset(ctx context.Context, by, key string) ([]store.Setting, error) {
	revision, err := m.Store.SettingsRevision(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := m.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	now := Current{Config: m.File, Revision: revision, Stored: stored}
	rows := slices.DeleteFunc(now.rows([]Change{{Key: key}}), func(r store.Setting) bool {
		_, found := now.Find(r.Key)
		return !found
	})
	if len(rows) == 0 {
		return nil, nil
	}
	_, err = m.Store.ChangeSettings(ctx, revision, by, rows)
	return rows, err
}

// Try returns the configuration as it would be after changes, without storing them. The error is that
// of Change.
func (m *Manager) Try(ctx context.Context, changes []Change) (*config.Config, error) {
	now, err := m.Load(ctx)
	if err != nil {
		return nil, err
	}
	return Apply(m.File, now.with(now.rows(changes)))
}
