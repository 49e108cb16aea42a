package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/subscriber"
)

// SubscriberChangeKind is what changed about a subscriber.
type SubscriberChangeKind string

// The kinds of changes. A change of the state has the kind "state:" and the new state.
const (
	ChangedAdded      SubscriberChangeKind = "added"      // the detail is the state
	ChangedDetails    SubscriberChangeKind = "details"    // name, languages or timezone; the detail names them
	ChangedLabels     SubscriberChangeKind = "labels"     // the detail lists the labels
	ChangedConsent    SubscriberChangeKind = "consent"    // the detail is the earlier consent
	ChangedDigest     SubscriberChangeKind = "subscribed" // the detail is the digest, with the topics
	ChangedLeft       SubscriberChangeKind = "left"       // the detail is the digest; empty for all
	ChangedSuppressed SubscriberChangeKind = "suppressed" // the detail is the reason
	ChangedLifted     SubscriberChangeKind = "lifted"     // a suppression
	ChangedInvited    SubscriberChangeKind = "invited"    // the detail lists the digests
	ChangedExported   SubscriberChangeKind = "exported"
)

// stateChange is the prefix of the kinds of changes of the state.
const stateChange = "state:"

// State returns the new state of a change of the state, and an empty one for other changes.
func (k SubscriberChangeKind) State() subscriber.State {
	state, found := strings.CutPrefix(string(k), stateChange)
	if !found {
		return ""
	}
	return subscriber.State(state)
}

// SubscriberChange is a change of what is stored about a subscriber.
type SubscriberChange struct {
	At     time.Time
	Who    string // address of the editor who made it; empty for everyone else
	Kind   SubscriberChangeKind
	Detail string
}

// actorKey is the key of the editor in a context.
type actorKey struct{}

// WithActor returns a context for changes that an editor makes. The changes are recorded with the
// editor's address.
func WithActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

// recordChange records a change of a subscriber in the transaction that makes it.
func (s *Store) recordChange(ctx context.Context, tx *conn, id int64, kind SubscriberChangeKind, detail string) error {
	who, _ := ctx.Value(actorKey{}).(string) // absent unless an editor acts
	_, err := tx.Exec(ctx, "change.insert", id, millis(s.Now()), who, string(kind), replyText(detail))
	return err
}

// RecordSubscriberChange records something that was done with a subscriber and changed none of
// their data, such as an invitation.
func (s *Store) RecordSubscriberChange(ctx context.Context, id int64, kind SubscriberChangeKind, detail string) error {
	return s.write(ctx, func(tx *conn) error { return s.recordChange(ctx, tx, id, kind, detail) })
}

// SubscriberChanges returns the latest changes of a subscriber, the newest first.
func (s *Store) SubscriberChanges(ctx context.Context, id int64, limit int) ([]SubscriberChange, error) {
	var out []SubscriberChange
	err := s.readers.Each(ctx, "change.ofSubscriber", []any{id, limit}, func(rows *sql.Rows) error {
		var c SubscriberChange
		var at int64
		err := rows.Scan(&at, &c.Who, &c.Kind, &c.Detail)
		c.At = timeOf(at)
		out = append(out, c)
		return err
	})
	return out, err
}
