package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

type postgres = testkit.Postgres

// errNoServer reports that PostgreSQL is not installed.
var errNoServer = errors.New("not measured: PostgreSQL is not installed")

// startServer starts PostgreSQL if the engine needs it.
func startServer(engine string) (*postgres, error) {
	switch engine {
	case "sqlite":
		return nil, nil
	case "postgres":
		server, err := testkit.LaunchPostgres(testkit.PostgresOptions{})
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			err = errNoServer
		}
		return server, err
	}
	return nil, fmt.Errorf("unknown store %q; use sqlite, postgres or both with a comma", engine)
}

// bench is a store with articles, two digests of all of them, and their subscribers.
type bench struct {
	o      *options
	store  *store.Store
	engine *delivery.Engine
	newest time.Time
	remove func()
}

// The digests: one has a single variant, the other one for each choice of topics.
const (
	single = "single"
	many   = "many"
)

var databases atomic.Int64 // number of databases created so far

func newBench(ctx context.Context, o *options, engine string, server *postgres, stored int) (*bench, error) {
	dir, err := os.MkdirTemp("", "tidings-bench-editions-")
	if err != nil {
		return nil, err
	}
	b := &bench{o: o, remove: func() { os.RemoveAll(dir) }}
	dsn := "sqlite:" + filepath.Join(dir, "bench.db")
	if engine == "postgres" {
		dsn, err = server.Fresh(ctx, fmt.Sprint("editions", databases.Add(1)))
	}
	if err == nil {
		b.store, err = store.Open(ctx, dsn, store.Options{})
	}
	if err != nil {
		b.remove()
		return nil, err
	}
	b.remove = func() {
		b.store.Close()
		os.RemoveAll(dir)
	}
	if err := b.fill(ctx, stored); err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

// topics is the number of topics from which subscribers choose: 2^topics choices.
func (b *bench) topics() int {
	n := 1
	for 1<<n <= b.o.variants {
		n++
	}
	return n
}

func (b *bench) fill(ctx context.Context, stored int) error {
	begin := time.Now().UTC().Add(-time.Duration(stored+1) * time.Minute)
	text := strings.Repeat("<p>The ferry to the island runs again, and the market at the harbour opens at nine.</p>\n", b.o.bytes/89+1)
	err := benchkit.PutArticles(ctx, b.store, stored, func(i int) article.Article {
		at := begin.Add(time.Duration(i) * time.Minute)
		b.newest = at
		return article.Article{
			Source: fmt.Sprint("bench/", i), Slug: fmt.Sprint("article-", i), Title: fmt.Sprintf("Article %d of the bench", i),
			Summary: "What the article says in short, so that a reader may skip it.", HTML: text, Language: "en",
			Authors: []article.Author{{Name: "Ann Author"}}, Tags: []string{"all", fmt.Sprint("topic", i%b.topics())},
			Published: at, Updated: at, Status: article.Published, Hash: fmt.Sprint(i),
		}
	})
	if err == nil {
		err = b.newEngine(ctx)
	}
	if err != nil {
		return err
	}
	for i := range b.o.variants {
		topics := []string{}
		for topic := range b.topics() {
			if (i+1)>>topic&1 == 1 {
				topics = append(topics, fmt.Sprint("topic", topic))
			}
		}
		if err := b.subscribe(ctx, i, topics); err != nil {
			return err
		}
	}
	return nil
}

// subscribe adds a subscriber to the digest of many variants, and the first one to the other.
func (b *bench) subscribe(ctx context.Context, i int, topics []string) error {
	address, err := subscriber.ParseAddress(fmt.Sprintf("reader%d@example.org", i))
	if err != nil {
		return err
	}
	who, err := b.store.AddSubscriber(ctx, subscriber.Subscriber{Address: address, State: subscriber.Active})
	if err == nil {
		err = b.store.Subscribe(ctx, who.ID, many, topics)
	}
	if err == nil && i == 0 {
		err = b.store.Subscribe(ctx, who.ID, single, nil)
	}
	return err
}

func (b *bench) newEngine(ctx context.Context) error {
	set, err := templates.Load("")
	if err != nil {
		return err
	}
	keys, err := b.store.Keys(ctx)
	if err != nil {
		return err
	}
	options := delivery.Options{Store: b.store, Keys: keys, Templates: set, Log: slog.New(slog.DiscardHandler), Site: digest.Site{Title: "The Bench", URL: "https://bench.example", Language: "en"}}
	for _, name := range []string{single, many} {
		options.Digests = append(options.Digests, delivery.Definition{
			Definition: digest.Definition{Name: name, Title: "The week"}, Max: b.o.articles, From: mailer.Address{Email: "editor@bench.example"},
		})
	}
	if b.engine, err = delivery.New(ctx, options); err != nil {
		return err
	}
	for _, name := range []string{single, many} {
		if err := b.engine.SetBeginning(ctx, name, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// sendRest leaves only as many articles in the queues as the next editions need.
func (b *bench) sendRest(ctx context.Context) error {
	for _, name := range []string{single, many} {
		if _, err := b.engine.MarkUnseen(ctx, name, time.Time{}); err != nil {
			return err
		}
		before := b.newest.Add(-time.Duration(2*b.o.rounds*b.o.articles) * time.Minute)
		if _, err := b.engine.MarkSeen(ctx, name, before); err != nil {
			return err
		}
	}
	return nil
}

// analyze updates the statistics of PostgreSQL's planner, as its autovacuum does within a minute after so
// many rows were stored. Without it the result would depend on how long storing them took.
func (b *bench) analyze(ctx context.Context, engine string) error {
	if engine != "postgres" {
		return nil
	}
	_, err := b.store.DB().ExecContext(ctx, "ANALYZE")
	return err
}

// times are how long the parts of each edition took.
type times struct {
	draft, proof, approve, composed, variants []time.Duration
}

func (t times) medians() (draft, proof, approve, composed, variants time.Duration) {
	return middle(t.draft), middle(t.proof), middle(t.approve), middle(t.composed), middle(t.variants)
}

func middle(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// measure makes one edition of each digest in each round.
func (b *bench) measure(ctx context.Context) (times, error) {
	var out times
	for range b.o.rounds {
		draft, proof, approve, err := b.edition(ctx, single, 1)
		if err != nil {
			return out, err
		}
		out.draft, out.proof, out.approve = append(out.draft, draft), append(out.proof, proof), append(out.approve, approve)
		out.composed = append(out.composed, draft+approve)
		draft, _, approve, err = b.edition(ctx, many, b.o.variants)
		if err != nil {
			return out, err
		}
		out.variants = append(out.variants, draft+approve)
	}
	return out, nil
}

// edition drafts, shows and approves an edition, and checks it.
func (b *bench) edition(ctx context.Context, name string, variants int) (draft, proof, approve time.Duration, err error) {
	begin := time.Now()
	edition, err := b.engine.Draft(ctx, name, delivery.SendOptions{By: "bench"})
	draft = time.Since(begin)
	if err != nil {
		return draft, proof, approve, err
	}
	begin = time.Now()
	review, err := b.engine.Review(ctx, edition.ID)
	proof = time.Since(begin)
	if err != nil {
		return draft, proof, approve, err
	}
	begin = time.Now()
	edition, err = b.engine.Approve(ctx, edition.ID)
	approve = time.Since(begin)
	if err != nil {
		return draft, proof, approve, err
	}
	var stored int
	err = b.store.DB().QueryRowContext(ctx, "SELECT count(*) FROM variants WHERE edition = $1", edition.Seq).Scan(&stored)
	if err == nil && (len(review.Contents) != b.o.articles || stored != variants) {
		err = fmt.Errorf("the edition of %s has %d articles and %d variants", name, len(review.Contents), stored)
	}
	return draft, proof, approve, err
}
