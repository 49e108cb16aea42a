package delivery_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const everyTick = "* * * * * *"

// TestEveryArticleIsSentOnceWhileNodesAreKilled kills and freezes nodes at random while ticks fire,
// editions are composed and approved, and mails are sent. On PostgreSQL it runs three nodes and
// restarts and kills the server too.
func TestEveryArticleIsSentOnceWhileNodesAreKilled(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		b := setupOn(t, storetest.DSN(t, store.SQLite), sink.Options{Delay: 5 * time.Millisecond})
		b.runWhileNodesDie(1, nil)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := testkit.StartPostgres(t, testkit.PostgresOptions{})
		b := setupOn(t, server.Database(t), sink.Options{Delay: 5 * time.Millisecond})
		b.runWhileNodesDie(3, server)
	})
}

func (b *env) runWhileNodesDie(nodes int, server *testkit.Postgres) {
	const audience = 60
	b.storeMayFail = true
	b.importSubscribers(audience)
	b.newDeliveryEngine()
	begin := time.Now()
	f := &fleet{env: b, resend: true, spawner: func() *node { return b.spawnOn(everyTick, true) }}
	for range nodes {
		f.nodes = append(f.nodes, f.spawner())
	}
	defer f.end()
	stop, written := b.writeArticles()
	for i := range *kills / 2 {
		time.Sleep(rand.N(time.Second)) // a node takes a while to start
		switch at := rand.IntN(nodes); {
		case server != nil && i == *kills/6:
			f.disturbStore(server.Restart)
		case server != nil && i == *kills/3:
			f.disturbStore(func() error {
				if err := server.Kill(); err != nil {
					return err
				}
				return server.Start()
			})
		case nodes > 1 && rand.IntN(2) == 0:
			f.freeze(at)
		default:
			f.kill(at)
		}
	}
	stop()
	due := max(int(time.Since(begin).Seconds())-3, 5) // few kills may be over before five ticks are due
	articles := written()
	b.allInEditions(articles)
	b.eventually("the last ticks are handled too", func() bool {
		ticks, err := b.store.Ticks(b.t.Context(), "weekly", 10_000)
		return err == nil && len(ticks) >= due
	})
	f.end()
	b.checkTicks()
	b.checkMailsOfAll(audience, f.cut)
	b.t.Logf("%d articles", articles)
}

// disturbStore runs disturb, after which each connection may have lost its lease.
func (f *fleet) disturbStore(disturb func() error) {
	f.t.Helper()
	if err := disturb(); err != nil {
		f.t.Fatal(err)
	}
	f.cut += len(f.nodes) * connections
}

// writeArticles stores articles until it is stopped, and retries while the store is unreachable.
func (b *env) writeArticles() (stop func(), written func() int) {
	end := make(chan struct{})
	var work sync.WaitGroup
	n := 0
	work.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-time.After(rand.N(500 * time.Millisecond)):
			}
			now := b.store.Now()
			a := &article.Article{
				Source: fmt.Sprint("test:", n), Slug: fmt.Sprint("news-", n), Title: fmt.Sprint("News ", n), Summary: "News.", HTML: "<p>News.</p>",
				Language: "en", Published: now, Updated: now, Status: article.Published, Hash: fmt.Sprint(n),
			}
			if _, err := b.store.PutArticle(b.t.Context(), a, nil, nil); err == nil {
				n++
			}
		}
	})
	return sync.OnceFunc(func() { close(end); work.Wait() }), func() int { return n }
}

// allInEditions waits until every article is in a finished edition, and checks that no article is
// in two.
func (b *env) allInEditions(articles int) {
	b.t.Helper()
	b.eventually("every article is in an edition that is sent", func() bool {
		editions, err := b.store.Editions(b.t.Context(), "weekly", 1000)
		if err != nil {
			return false
		}
		in := map[string]int{}
		for _, e := range editions {
			full, err := b.store.Edition(b.t.Context(), e.ID)
			p, err2 := b.engine.Progress(b.t.Context(), e.ID)
			if err != nil || err2 != nil || p.Counts.Open() > 0 || p.Counts.Uncertain > 0 || p.Edition.Finished.IsZero() {
				return false
			}
			for _, id := range full.Articles {
				if in[id]++; in[id] > 1 {
					b.t.Fatalf("article %s is in two editions", id)
				}
			}
		}
		return len(in) == articles
	})
}

// checkTicks checks that each tick was handled once and none was left out.
func (b *env) checkTicks() {
	b.t.Helper()
	ticks, err := b.store.Ticks(b.t.Context(), "weekly", 10_000)
	if err != nil || len(ticks) < 5 {
		b.t.Fatalf("%d ticks, %v", len(ticks), err)
	}
	slices.SortFunc(ticks, func(x, y store.Tick) int { return strings.Compare(x.ScheduledFor, y.ScheduledFor) })
	const form = "2006-01-02T15:04:05"
	at, err := time.Parse(form, ticks[0].ScheduledFor[:len(form)])
	if err != nil {
		b.t.Fatal(err)
	}
	for _, tick := range ticks {
		if got := tick.ScheduledFor[:len(form)]; got != at.Format(form) {
			b.t.Fatalf("tick %s, want %s", got, at.Format(form))
		}
		at = at.Add(time.Second)
	}
}

// checkMailsOfAll checks that every subscriber has each edition. Mails that arrived twice must be
// identical, must have been uncertain, and must be no more than the connections that were cut.
func (b *env) checkMailsOfAll(readers, cut int) {
	b.t.Helper()
	editions, err := b.store.Editions(b.t.Context(), "weekly", 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	doubted := map[string]map[string]bool{}
	for _, e := range editions {
		doubted[e.ID] = b.everUncertain(e)
	}
	got, copies := map[string]map[string]int{}, 0
	for _, m := range b.server.Mails() {
		parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			b.t.Fatal(err)
		}
		id := parsed.Header.Get("Message-Id")
		edition, _, _ := strings.Cut(parsed.Header.Get("Feedback-Id"), ":")
		if got[edition] == nil {
			got[edition] = map[string]int{}
		}
		if got[edition][id]++; got[edition][id] > 1 {
			copies++
			if !doubted[edition][m.To[0]] {
				b.t.Errorf("%s has edition %s twice and was never uncertain", m.To[0], edition)
			}
		}
	}
	for _, e := range editions {
		if len(got[e.ID]) != readers {
			b.t.Errorf("%d subscribers have edition %d, want %d", len(got[e.ID]), e.Number, readers)
		}
	}
	if copies > cut || len(got) != len(editions) {
		b.t.Errorf("%d mails arrived twice, %d connections were cut; %d editions of %d were mailed", copies, cut, len(got), len(editions))
	}
	b.t.Logf("%d editions, %d mails, %d twice, %d connections were cut", len(editions), len(b.server.Mails()), copies, cut)
}
