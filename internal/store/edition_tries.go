package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Try is one failed try to send a mail.
type Try struct {
	Number int
	State  digest.DeliveryState // that followed
	Reason string
	Code   int // of the server's reply; 0 if there was none
	Reply  string
	Relay  string
	At     time.Time
}

// maxTries is how many tries of a mail are listed.
const maxTries = 200

// Tries returns the failed tries of one mail of an edition, the first one first.
func (s *Store) Tries(ctx context.Context, seq, subscriber int64) ([]Try, error) {
	var out []Try
	err := s.readers.Each(ctx, "try.list", []any{seq, subscriber, maxTries}, func(rows *sql.Rows) error {
		var t Try
		var at int64
		err := rows.Scan(&t.Number, &t.State, &t.Reason, &t.Code, &t.Reply, &t.Relay, &at)
		t.At = timeOf(at)
		out = append(out, t)
		return err
	})
	return out, err
}

// FailureReason counts mails of an edition that failed for the same reason.
type FailureReason struct {
	State digest.DeliveryState // deferred, refused or uncertain
	Code  string               // such as "550 5.1.1"; empty if no server answered
	Text  string               // of one of the replies, or why there was none
	Count int
}

// maxReasons bounds the mails that FailureReasons reads.
const maxReasons = 2000

// FailureReasons counts the mails of an edition that are deferred, refused or uncertain after a try, by
// reason, the most frequent first. More reports that only some of them were counted.
func (s *Store) FailureReasons(ctx context.Context, seq int64) (reasons []FailureReason, more bool, err error) {
	type key struct{ state, code string }
	known := map[key]int{}
	n := 0
	err = s.readers.Each(ctx, "try.reasons", []any{seq, maxReasons}, func(rows *sql.Rows) error {
		var state, reply, reason string
		var code int
		if err := rows.Scan(&state, &code, &reply, &reason); err != nil {
			return err
		}
		n++
		r := failureReason(digest.DeliveryState(state), code, reply, reason)
		k := key{state, r.Code}
		if r.Code == "" {
			k.code = r.Text
		}
		at, found := known[k]
		if !found {
			at = len(reasons)
			known[k] = at
			reasons = append(reasons, r)
		}
		reasons[at].Count++
		return nil
	})
	slices.SortStableFunc(reasons, func(a, b FailureReason) int { return cmp.Compare(b.Count, a.Count) })
	return reasons, n == maxReasons, err
}

func failureReason(state digest.DeliveryState, code int, reply, reason string) FailureReason {
	r := FailureReason{State: state, Text: reply}
	if code == 0 {
		r.Text, _, _ = strings.Cut(strings.TrimPrefix(reason, "in doubt: "), ": ")
		return r
	}
	r.Code = strconv.Itoa(code)
	if first, rest, _ := strings.Cut(reply, " "); len(strings.Split(first, ".")) == 3 && len(first) <= 11 {
		r.Code, r.Text = r.Code+" "+first, rest
	}
	return r
}

// DeliveryFilter selects deliveries of an edition.
type DeliveryFilter struct {
	State  digest.DeliveryState // any if empty
	Reply  ReplyClass           // any if empty
	Search subscriber.Search    // by parts of the address or name
}

// ReplyClass is a class of replies of servers.
type ReplyClass string

// The classes of replies.
const (
	ReplyAccepted  ReplyClass = "2"    // the server took the mail
	ReplyTemporary ReplyClass = "4"    // the server wants a later try
	ReplyPermanent ReplyClass = "5"    // the server refused the mail
	ReplyNone      ReplyClass = "none" // no server answered
)

// ReplyClasses lists all classes of replies.
var ReplyClasses = []ReplyClass{ReplyAccepted, ReplyTemporary, ReplyPermanent, ReplyNone}

// codes returns the lowest and the highest reply code of a class.
func (c ReplyClass) codes() (low, high int64) {
	switch c {
	case ReplyAccepted:
		return 200, 399
	case ReplyTemporary:
		return 400, 499
	case ReplyPermanent:
		return 500, 599
	case ReplyNone:
		return 0, 0
	}
	return 0, 999
}

// ListedDelivery is a delivery in a list.
type ListedDelivery struct {
	AddressedDelivery
	SubscriberState subscriber.State
}

// Retryable reports whether a refused mail may be sent again: the address was not suppressed.
func (d ListedDelivery) Retryable() bool {
	return d.State == digest.DeliveryRefused && d.SubscriberState == subscriber.Active
}

// FoundDeliveries is a page of a list of deliveries.
type FoundDeliveries struct {
	List []ListedDelivery
	Next int64 // the after of the next page; 0 on the last one
}

// maxChunksRead is how many chunks a page of deliveries reads at most. A rare filter may fill a page
// only in part; the next one continues.
const maxChunksRead = 60

// FindDeliveries returns up to limit deliveries of an edition, after a position that an earlier page
// returned as Next, or 0. Its time does not depend on the number of deliveries.
func (s *Store) FindDeliveries(ctx context.Context, e Edition, f DeliveryFilter, after int64, limit int) (FoundDeliveries, error) {
	if !f.Search.IsZero() {
		return s.searchDeliveries(ctx, e, f, after, limit)
	}
	var out FoundDeliveries
	ranges, err := s.deliveryRanges(ctx, e.Seq, f.State, after)
	if err != nil {
		return out, err
	}
	low, high := f.Reply.codes()
	for i, r := range ranges {
		found, err := s.listedDeliveries(ctx, e, "try.range", e.Seq, max(r[0], after+1), r[1], string(f.State), low, high, limit+1-len(out.List))
		if err != nil {
			return out, err
		}
		if out.List = append(out.List, found...); len(out.List) > limit {
			out.List = out.List[:limit]
			out.Next = out.List[limit-1].Subscriber
			return out, nil
		}
		if i+1 == maxChunksRead {
			out.Next = r[1]
		}
	}
	return out, nil
}

// deliveryRanges returns the first and the last subscriber of the next chunks of an edition that may have
// deliveries in a state.
func (s *Store) deliveryRanges(ctx context.Context, seq int64, state digest.DeliveryState, after int64) ([][2]int64, error) {
	var out [][2]int64
	err := s.readers.Each(ctx, "try.chunks", []any{seq, after, string(state), maxChunksRead}, func(rows *sql.Rows) error {
		var r [2]int64
		err := rows.Scan(&r[0], &r[1])
		out = append(out, r)
		return err
	})
	return out, err
}

// searchDeliveries returns the deliveries of the subscribers that a search finds, the newest subscriber
// first.
func (s *Store) searchDeliveries(ctx context.Context, e Edition, f DeliveryFilter, before int64, limit int) (FoundDeliveries, error) {
	people, err := s.FindSubscribers(ctx, SubscriberFilter{Search: f.Search}, before, limit)
	if err != nil || len(people.List) == 0 {
		return FoundDeliveries{Next: people.Next}, err
	}
	ids := make([]int64, len(people.List))
	for i := range people.List {
		ids[i] = people.List[i].ID
	}
	found, err := s.listedDeliveries(ctx, e, "try.of", e.Seq, jsonList(ids))
	out := FoundDeliveries{Next: people.Next}
	low, high := f.Reply.codes()
	for _, d := range found {
		if (f.State == "" || d.State == f.State) && int64(d.Code) >= low && int64(d.Code) <= high {
			out.List = append(out.List, d)
		}
	}
	return out, err
}

// DeliveryTo returns the delivery of an edition to one subscriber, or ErrNotFound.
func (s *Store) DeliveryTo(ctx context.Context, e Edition, subscriber int64) (ListedDelivery, error) {
	found, err := s.listedDeliveries(ctx, e, "try.of", e.Seq, jsonList([]int64{subscriber}))
	if err == nil && len(found) == 0 {
		err = notFound("delivery to", subscriber)
	}
	if err != nil {
		return ListedDelivery{}, err
	}
	return found[0], nil
}

func (s *Store) listedDeliveries(ctx context.Context, e Edition, query string, args ...any) ([]ListedDelivery, error) {
	var out []ListedDelivery
	err := s.readers.Each(ctx, query, args, func(rows *sql.Rows) error {
		var d ListedDelivery
		var at, next int64
		err := rows.Scan(&d.Subscriber, &d.State, &d.Reason, &d.Tries, &d.Code, &d.Reply, &d.Relay, &at, &next, &d.Address, &d.SubscriberState)
		d.Edition, d.At, d.NextTry = e.ID, timeOf(at), timeOf(next)
		out = append(out, d)
		return err
	})
	return out, err
}

// RetryRefused queues refused mails of an edition again, for some subscribers or, without any, for all.
// Subscribers who are not active any more, as their address was suppressed or they unsubscribed, are
// left out. An edition that was sent is then being sent again. It returns the number of mails, and a
// *StateError for an edition that is neither being sent nor sent.
func (s *Store) RetryRefused(ctx context.Context, e Edition, reason string, subscribers ...int64) (int64, error) {
	var n int64
	err := s.write(ctx, func(tx *conn) error {
		found, err := tx.editions(ctx, "edition.bySeq", e.Seq)
		if err == nil && (len(found) == 0 || found[0].State != digest.Sending && found[0].State != digest.Sent && found[0].State != digest.Paused) {
			err = s.changedState(ctx, tx, e.ID, digest.Sending)
		}
		if err != nil {
			return err
		}
		n, err = tx.Exec(ctx, "retry.refused", e.Seq, jsonList(subscribers), reason, millis(s.Now()))
		noteAuditCount(ctx, n, "mails")
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, "retry.chunks", e.Seq); err != nil {
			return err
		}
		// A node that finishes the last chunk meanwhile locks the edition too.
		var id string
		if _, err := tx.One(ctx, "edition.lock", []any{e.Seq}, &id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "retry.edition", e.Seq)
		return err
	})
	return n, err
}
