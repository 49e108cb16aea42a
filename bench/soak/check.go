package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// everything is a limit that no list reaches.
const everything = 1 << 30

// check returns the broken promises.
func (s *site) check(ctx context.Context) ([]string, error) {
	s.checkFeedsAtEnd(ctx)
	var all []store.Edition
	for name := range digests {
		editions, err := s.db.Editions(ctx, name, everything)
		if err != nil {
			return nil, err
		}
		if err := s.checkArticles(ctx, name, editions); err != nil {
			return nil, err
		}
		all = append(all, editions...)
	}
	if err := s.checkMails(ctx, all); err != nil {
		return nil, err
	}
	if err := s.checkUsage(); err != nil {
		return nil, err
	}
	if s.mails.count() == 0 || len(s.articles.published) == 0 {
		s.breach("nothing was sent: the run tests nothing")
	}
	return slices.Concat(s.broken, s.mails.wrong), nil
}

// checkFeedsAtEnd checks that the feeds are whole and hold no article that was withdrawn.
func (s *site) checkFeedsAtEnd(ctx context.Context) {
	client := &http.Client{Timeout: time.Minute}
	for _, format := range feed.Formats {
		_, data, status := s.poll(ctx, client, format, "")
		if status != http.StatusOK {
			s.breach("/%s: status %d at the end", format, status)
			continue
		}
		s.checkFeed(format, data)
		for mark := range s.articles.withdrawn {
			if strings.Contains(string(data), mark) {
				s.breach("/%s has %s, which was withdrawn", format, mark)
			}
		}
	}
}

// checkArticles checks that each article is in exactly one edition of a digest.
func (s *site) checkArticles(ctx context.Context, name string, editions []store.Edition) error {
	in := map[string]int{}
	for _, e := range editions {
		full, err := s.db.Edition(ctx, e.ID)
		if err != nil {
			return err
		}
		for _, id := range full.Articles {
			in[id]++
		}
	}
	published, err := s.db.Articles(ctx, store.Query{Statuses: []article.Status{article.Published}, Limit: everything, HTMLBudget: store.WithoutHTML})
	if err != nil {
		return err
	}
	for _, a := range published {
		if strings.Contains(a.Title, withheldMark) {
			s.breach("the draft %s is published", a.Title)
		}
		if in[a.ID] != 1 {
			s.breach("%q is in %d editions of %s", a.Title, in[a.ID], name)
		}
	}
	if want := len(s.articles.published) - len(s.articles.withdrawn); len(published) != want {
		s.breach("%d articles are published, want %d", len(published), want)
	}
	return nil
}

// tally counts the mails to one address, as the store has them.
type tally struct {
	digest              string
	all, sent, doubtful int // deliveries; those that are or were uncertain
	refused             int
}

// checkMails compares the deliveries in the store with what the SMTP servers have accepted.
func (s *site) checkMails(ctx context.Context, editions []store.Edition) error {
	people, sent := map[string]*tally{}, map[string]int{}
	for _, e := range editions {
		if e.State != digest.Sent {
			s.breach("edition %s of %s is %s: %s", e.ID, e.Digest, e.State, e.Reason)
			continue
		}
		sent[e.Digest]++
		deliveries, err := s.db.Deliveries(ctx, e, digest.DeliveryStates, 0, everything)
		if err != nil {
			return err
		}
		for _, d := range deliveries {
			s.tallyDelivery(people, e, d)
		}
	}
	for address, t := range people {
		s.checkPerson(address, t, sent[t.digest])
	}
	for address := range s.mails.copies {
		if people[address] == nil {
			s.breach("%s got a mail of which the store knows nothing", address)
		}
	}
	return nil
}

func (s *site) tallyDelivery(people map[string]*tally, e store.Edition, d store.AddressedDelivery) {
	t := people[d.Address]
	if t == nil {
		t = &tally{digest: e.Digest}
		people[d.Address] = t
	}
	t.all++
	doubtful := strings.HasPrefix(d.Reason, "in doubt") || d.State == digest.DeliveryUncertain
	switch {
	case d.State == digest.DeliverySent:
		t.sent++
	case d.State == digest.DeliveryRefused:
		t.refused++
	case d.State == digest.DeliverySkipped, d.State == digest.DeliveryUncertain:
	default:
		s.breach("edition %s is sent, and the mail to %s is %s", e.ID, d.Address, d.State)
	}
	if doubtful {
		t.doubtful++
	}
}

// checkPerson checks the mails of one subscriber to a digest with so many editions.
func (s *site) checkPerson(address string, t *tally, editions int) {
	copies, distinct, twice := s.mails.copies[address], 0, 0
	for _, n := range copies {
		distinct++
		if n > 1 {
			twice++
		}
	}
	if twice > t.doubtful {
		s.breach("%s got %d mails twice, but only %d were uncertain", address, twice, t.doubtful)
	}
	if distinct < t.sent-t.doubtful || distinct > t.sent+t.doubtful {
		s.breach("%s got %d mails, and the store has %d as sent and %d as uncertain", address, distinct, t.sent, t.doubtful)
	}
	_, left := s.mails.left[address]
	if !left && !s.mails.unknown[address] && t.refused == 0 && t.all != editions {
		s.breach("%s stayed subscribed to %s, and is in %d of %d editions", address, t.digest, t.all, editions)
	}
	s.twice += twice
}

// memoryAfter is the shortest run whose resident memory is checked, and whose heap is checked under load too.
// The collector gives memory back to the system after minutes, and the race detector never. In the last
// seconds of a short run a node may compose several editions at once, and none in the seconds before.
const memoryAfter = 5 * time.Minute

// checkUsage checks that the long-lived node has not grown.
func (s *site) checkUsage() error {
	all, err := s.usages()
	for _, u := range all {
		most := max(u.late, u.settled)
		if s.time < memoryAfter {
			switch u.name {
			case residentMemory:
				continue
			case heap:
				most = u.settled
			}
		}
		if most > u.limit() {
			s.breach("%s grew from %d to %d, and are %d at rest", u.name, u.warm, u.late, u.settled)
		}
	}
	return err
}

// printTable prints what was done and measured.
func (s *site) printTable(took time.Duration) {
	fmt.Printf("\n%s, disturbed for %s, settled after %s\n", s.engine, s.time, (took - s.time).Round(time.Second))
	row := func(name string, value any) { fmt.Printf("  %-60s %10v\n", name, value) }
	row("articles published, withdrawn again, kept as drafts", fmt.Sprintf("%d, %d, %d", len(s.articles.published), len(s.articles.withdrawn), s.articles.drafts))
	row("mails accepted by the SMTP servers", s.mails.count())
	row("of these a second time, recorded as uncertain", s.twice)
	row("subscribers who unsubscribed", len(s.mails.left))
	for _, answer := range slices.Sorted(maps.Keys(s.readers.all())) {
		row("answers to feed readers: "+answer, s.readers.all()[answer])
	}
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		row(what, s.counts[what])
	}
	usages, err := s.usages()
	if err != nil {
		return // reported by checkUsage
	}
	fmt.Printf("\n  %-20s %14s %14s %14s %14s\n", "of one process", "after warm-up", "at the end", "at rest", "allowed")
	for _, u := range usages {
		fmt.Printf("  %-20s %14d %14d %14d %14d\n", u.name, u.warm, u.late, u.settled, u.limit())
	}
	fmt.Println()
}
