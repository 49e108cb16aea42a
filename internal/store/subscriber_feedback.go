package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// FeedbackKind is the kind of a report about a delivery.
type FeedbackKind string

// The kinds of feedback.
const (
	FeedbackBounced      FeedbackKind = "bounced"      // the address is dead: it is suppressed
	FeedbackSoft         FeedbackKind = "soft"         // refused for now: counted
	FeedbackComplained   FeedbackKind = "complained"   // reported as spam: the address is suppressed
	FeedbackUnsubscribed FeedbackKind = "unsubscribed" // unsubscribes from the edition's digest, or from all without an edition
	FeedbackDelivered    FeedbackKind = "delivered"    // reached the mailbox: earlier soft bounces no longer count
)

// Feedback is one report about a delivery.
type Feedback struct {
	Key        string // identifies the report, so that it counts once
	Subscriber int64
	Edition    string // id; empty for mails that belong to none
	Kind       FeedbackKind
	Code       int    // SMTP reply code, 0 for none
	Text       string // the server's reply
	Source     string // how it was received
	At         time.Time
}

// SoftRule decides when a series of soft bounces suppresses an address: after Limit of them over
// Days. A Limit of 0 means never. A series ends with a report that a mail was delivered, or when a
// mail has not bounced for a week, or for Days if that is longer.
type SoftRule struct {
	Limit int
	Days  int
}

// RecordFeedback stores a report and applies its consequences in one transaction. fresh is
// false when its key exists already. Then nothing changes, unless the person asks to leave again: they may
// have subscribed again since, and use the link of the same mail. Changes of state that the table does not
// allow are skipped, and an erased subscriber is not an error.
func (s *Store) RecordFeedback(ctx context.Context, f Feedback, rule SoftRule) (fresh bool, err error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(tx *conn) (err error) {
		fresh, err = s.recordFeedback(ctx, tx, keys, f, rule)
		return err
	})
	if err == nil && fresh {
		countFeedback(f)
	}
	return fresh, err
}

// countFeedback counts stored feedback for the metrics.
func countFeedback(all ...Feedback) {
	for _, f := range all {
		switch f.Kind {
		case FeedbackBounced, FeedbackSoft:
			metrics.Bounce(f.Kind == FeedbackBounced, f.Source)
		case FeedbackComplained:
			metrics.Complaint(f.Source)
		}
	}
}

// NoteUnsubscription records that a subscriber unsubscribed by the link in a mail of an edition, for
// the counts of the edition. It counts once, and does not unsubscribe.
func (s *Store) NoteUnsubscription(ctx context.Context, edition string, subscriber int64) error {
	key := fmt.Sprintf("unsubscribe link: %s, %d", edition, subscriber)
	return s.write(ctx, func(tx *conn) error {
		_, err := tx.Exec(ctx, "feedback.insert", key, subscriber, edition, string(FeedbackUnsubscribed), 0, "", "link", millis(s.Now()))
		return err
	})
}

// recordFeedback is RecordFeedback within a transaction.
func (s *Store) recordFeedback(ctx context.Context, tx *conn, keys subscriber.Keys, f Feedback, rule SoftRule) (fresh bool, err error) {
	f.Text = replyText(f.Text) // a webhook's body may have a megabyte
	n, err := tx.Exec(ctx, "feedback.insert", f.Key, f.Subscriber, f.Edition, string(f.Kind), f.Code, f.Text, f.Source, millis(f.At))
	fresh = n > 0
	if err != nil || !fresh && f.Kind != FeedbackUnsubscribed && f.Kind != FeedbackComplained {
		return false, err
	}
	found, err := tx.subscribers(ctx, "subscriber.byID", f.Subscriber)
	if err != nil || len(found) == 0 || found[0].State == subscriber.Erased {
		return fresh, err
	}
	return fresh, s.applyFeedback(ctx, tx, keys, found[0], f, rule)
}

func (s *Store) applyFeedback(ctx context.Context, tx *conn, keys subscriber.Keys, sub subscriber.Subscriber, f Feedback, rule SoftRule) error {
	switch f.Kind {
	case FeedbackComplained:
		return s.setStateIfAllowed(ctx, tx, keys, sub, subscriber.Complained, f.Text)
	case FeedbackBounced:
		return s.setStateIfAllowed(ctx, tx, keys, sub, subscriber.Bounced, f.Text)
	case FeedbackSoft:
		dead, err := tx.countSoft(ctx, f, rule)
		if err != nil || !dead {
			return err
		}
		return s.setStateIfAllowed(ctx, tx, keys, sub, subscriber.Bounced, f.Text)
	case FeedbackDelivered:
		_, err := tx.Exec(ctx, "subscriber.clearSoft", sub.ID)
		return err
	}
	return s.unsubscribeInTx(ctx, tx, keys, sub, func() error { return tx.leaveDigestOf(ctx, f) })
}

// setStateIfAllowed changes a state if the table allows it.
func (s *Store) setStateIfAllowed(ctx context.Context, tx *conn, keys subscriber.Keys, sub subscriber.Subscriber, next subscriber.State, detail string) error {
	if !sub.State.CanBecome(next) {
		return nil
	}
	return s.setState(ctx, tx, keys, sub.ID, next, detail)
}

// Soft bounces are counted in a series until a mail arrives. The 250 of a relay that queues mail
// proves nothing, since the bounce of each mail comes days later.
const (
	// quietDays is how long a mail must go without a bounce to count as delivered. Most
	// relays give up on a mail after five days.
	quietDays = 7
	// seriesDays is how long a series lasts at most without a bounce, for subscribers whose deliveries
	// are no longer in the store.
	seriesDays = 180
)

// countSoft counts a soft bounce and reports whether the address is dead by the rule.
func (c *conn) countSoft(ctx context.Context, f Feedback, rule SoftRule) (dead bool, err error) {
	var one, restart, count int
	var since int64
	quiet := f.At.AddDate(0, 0, -max(quietDays, rule.Days))
	found, err := c.One(ctx, "subscriber.quiet", []any{f.Subscriber, millis(quiet), millis(f.At.AddDate(0, 0, -seriesDays))}, &one)
	if err != nil {
		return false, err
	}
	if found {
		restart = 1
	}
	if _, err := c.One(ctx, "subscriber.softBounce", []any{f.Subscriber, millis(f.At), restart}, &count, &since); err != nil {
		return false, err
	}
	lasted := f.At.Sub(timeOf(since))
	return rule.Limit > 0 && count >= rule.Limit && lasted >= time.Duration(rule.Days)*24*time.Hour, nil
}

// leaveDigestOf ends the subscription that the mail came through. If it is not known any more
// for a message, it ends those to all of the message's digests.
func (c *conn) leaveDigestOf(ctx context.Context, f Feedback) error {
	var name, audience string
	if f.Edition != "" {
		if _, err := c.One(ctx, "feedback.digestOf", []any{f.Edition, f.Subscriber}, &name, &audience); err != nil {
			return err
		}
	}
	if name == "" {
		_, err := c.Exec(ctx, "subscription.leaveAll", f.Subscriber, millis(f.At))
		return err
	}
	names := []string{name}
	if audience != "" {
		if a, err := digest.ParseAudience(audience); err == nil {
			names = a.Digests
		}
	}
	for _, name := range names {
		if _, err := c.Exec(ctx, "subscription.leave", name, f.Subscriber, millis(f.At)); err != nil {
			return err
		}
	}
	return nil
}

// FeedbackOf returns the latest reports about a subscriber, the newest first.
func (s *Store) FeedbackOf(ctx context.Context, id int64, limit int) ([]Feedback, error) {
	var out []Feedback
	err := s.readers.Each(ctx, "feedback.ofSubscriber", []any{id, limit}, func(rows *sql.Rows) error {
		var f Feedback
		var at int64
		err := rows.Scan(&f.Key, &f.Subscriber, &f.Edition, &f.Kind, &f.Code, &f.Text, &f.Source, &at)
		f.At = timeOf(at)
		out = append(out, f)
		return err
	})
	return out, err
}

// CountFeedback returns the number of reports of each kind about an edition.
func (s *Store) CountFeedback(ctx context.Context, edition string) (map[FeedbackKind]int64, error) {
	out := map[FeedbackKind]int64{}
	err := s.readers.Each(ctx, "feedback.countOfEdition", []any{edition}, func(rows *sql.Rows) error {
		var kind FeedbackKind
		var n int64
		err := rows.Scan(&kind, &n)
		out[kind] = n
		return err
	})
	return out, err
}
