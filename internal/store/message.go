package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
)

// Audience is who gets a message, in the form in which the store selects subscribers.
type Audience struct {
	Digests  []string
	Segment  digest.Segment
	Zone     *time.Location // of the days in the segment
	Language string         // of subscribers of whom none is known
}

// MessageGroups returns the languages among the recipients of a message, as the preference groups
// of a digest are: the active subscribers with a live subscription of one of the digests, and in
// the segment.
func (s *Store) MessageGroups(ctx context.Context, a Audience) ([]PreferenceGroup, error) {
	return s.readers.messageGroups(ctx, a)
}

func (c *conn) messageGroups(ctx context.Context, a Audience) ([]PreferenceGroup, error) {
	args, err := c.audienceArgs(ctx, a)
	if err != nil {
		return nil, err
	}
	return c.groups(ctx, a.query("message.preferencesOfDigest", "message.preferences"), args...)
}

// query returns one of two names of queries for the recipients. Recipients in one digest are found
// by its subscriptions, recipients in several digests among all active subscribers.
func (a *Audience) query(ofDigest, ofSeveral string) string {
	if len(a.Digests) == 1 {
		return ofDigest
	}
	return ofSeveral
}

// MessageNonRecipients counts the present and former subscribers of the digests who do not get
// a message, by reason.
func (s *Store) MessageNonRecipients(ctx context.Context, a Audience) ([]SkipCount, error) {
	args, err := s.readers.audienceArgs(ctx, a)
	if err != nil {
		return nil, err
	}
	return s.skipCounts(ctx, "message.others", args...)
}

// Labels returns the labels of active subscribers, each spelling of them.
func (s *Store) Labels(ctx context.Context) ([]string, error) {
	return s.readers.texts(ctx, "message.labels")
}

// condition is a condition of a segment in the form that queries read.
type condition struct {
	Kind   digest.ConditionKind `json:"kind"`
	Not    bool                 `json:"not"`
	Values []string             `json:"values"`
	At     int64                `json:"at"` // of a day
}

// audienceArgs returns the first parameters of the queries for an audience: the digests, the
// conditions and the language. Labels and topics are compared as article.TagKey does, so the
// queries get the spellings that are stored.
func (c *conn) audienceArgs(ctx context.Context, a Audience) ([]any, error) {
	conditions := make([]condition, len(a.Segment))
	for i, one := range a.Segment {
		conditions[i] = condition{Kind: one.Kind, Not: one.Not, Values: one.Values}
		var err error
		switch one.Kind {
		case digest.HasLabel:
			conditions[i].Values, err = c.spellings(ctx, one.Values, "message.labels")
		case digest.InTopic:
			conditions[i].Values, err = c.spellings(ctx, one.Values, "message.topics", jsonList(a.Digests))
		case digest.JoinedSince:
			conditions[i].At, err = firstDay(slices.Min(one.Values), a.Zone)
		case digest.JoinedBefore:
			conditions[i].At, err = firstDay(slices.Max(one.Values), a.Zone)
		}
		if err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(conditions)
	return []any{jsonList(a.Digests), string(text), a.Language}, err
}

// firstDay returns when a day begins.
func firstDay(day string, zone *time.Location) (int64, error) {
	if zone == nil {
		zone = time.UTC
	}
	at, err := time.ParseInLocation(time.DateOnly, day, zone)
	return millis(at), err
}

// spellings returns the texts that a query finds and that compare equal to one of the keys.
func (c *conn) spellings(ctx context.Context, keys []string, query string, args ...any) ([]string, error) {
	found, err := c.texts(ctx, query, args...)
	return slices.DeleteFunc(found, func(text string) bool { return !slices.Contains(keys, article.TagKey(text)) }), err
}

// texts returns the results of a query with one column.
func (c *conn) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	out := []string{}
	err := c.Each(ctx, query, args, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		out = append(out, text)
		return err
	})
	return out, err
}

// EditMessage replaces the content and the audience of a message that is a draft. A message
// whose first digest changes gets the next number of the new one. It returns ErrDraftChanged if the
// draft is not as it was read, and a *StateError if it is not a draft any more.
func (s *Store) EditMessage(ctx context.Context, was, next Edition) (Edition, error) {
	err := s.write(ctx, func(tx *conn) error {
		next.Number = was.Number
		if next.Digest != was.Digest {
			if _, err := tx.Exec(ctx, "digest.lockForMessage", next.Digest); err != nil {
				return err
			}
			if _, err := tx.One(ctx, "edition.nextNumber", []any{next.Digest}, &next.Number); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, "message.edit", was.ID, next.Digest, next.Number, next.Subject, encodeEdits(next.Edits), next.Audience,
			was.Subject, encodeEdits(was.Edits), was.Audience)
		if err == nil && n == 0 {
			err = draftError(ctx, tx, was.ID, digest.Draft)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "edition.clearArticles", was.Seq); err != nil {
			return err
		}
		return insertArticles(ctx, tx, &next)
	})
	return next, err
}

// Messages returns the newest messages. The lists of articles are left out if there is more than
// one.
func (s *Store) Messages(ctx context.Context, limit int) ([]Edition, error) {
	return s.readers.editions(ctx, "message.list", limit)
}
