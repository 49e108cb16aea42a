package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// environment is what all runs share: the options, a temporary folder, and a PostgreSQL server if one
// is needed.
type environment struct {
	options
	dir      string
	postgres *testkit.Postgres
	size     int // bytes of one mail
	runs     int // number of stores created so far
}

func newEnvironment(ctx context.Context, o options) (*environment, error) {
	dir, err := os.MkdirTemp("", "tidings-bench-")
	if err != nil {
		return nil, err
	}
	f := &environment{options: o, dir: dir}
	if strings.Contains(o.runs, "postgres") || o.runs == "nodes" {
		if f.postgres, err = testkit.LaunchPostgres(testkit.PostgresOptions{Settings: []string{"shared_buffers=256MB", "max_wal_size=2GB"}}); err != nil {
			f.close()
			return nil, err
		}
	}
	if f.size, err = f.mailSize(ctx); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *environment) close() {
	if f.postgres != nil {
		f.postgres.Remove()
	}
	_ = os.RemoveAll(f.dir)
}

// sink starts the SMTP server of a run.
func (f *environment) sink() (*sink.Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return sink.Start(l, sink.Options{Delay: f.delay}), nil
}

// measure does one run.
func (f *environment) measure(ctx context.Context, p plan) (result, error) {
	longer := *f
	longer.mails *= p.times
	defer func() { f.runs = longer.runs }()
	return longer.run(ctx, p)
}

func (f *environment) run(ctx context.Context, p plan) (result, error) {
	server, err := f.sink()
	if err != nil {
		return result{}, err
	}
	defer server.Close()
	switch p.kind {
	case "smtp-source":
		return f.smtpSource(ctx, server)
	case "record":
		return f.record(ctx, p.engine)
	case "import":
		return f.importList(ctx, p.engine)
	case "rsa", "ed25519":
		return signing(p.kind)
	}
	dsn, err := f.prepare(ctx, p.engine)
	if err != nil {
		return result{}, err
	}
	r, err := f.node(ctx, dsn, server.Addr(), p.key, p.connections)
	if err == nil && server.Tally.Distinct() != int64(f.mails) {
		err = fmt.Errorf("%d of %d subscribers got the mail", server.Tally.Distinct(), f.mails)
	}
	return r, err
}

// smtpSource runs the baseline: Postfix's smtp-source with eight connections.
func (f *environment) smtpSource(ctx context.Context, server *sink.Server) (result, error) {
	program, err := exec.LookPath("smtp-source")
	if err != nil {
		if program = "/usr/sbin/smtp-source"; !exists(program) {
			return result{}, fmt.Errorf("smtp-source is not installed; it comes with Debian's postfix")
		}
	}
	cmd := exec.CommandContext(ctx, program, "-s", "8", "-m", strconv.Itoa(f.mails), "-l", strconv.Itoa(f.size), "-f", "editor@gazette.example", "-t", "reader@example.org", server.Addr().String())
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("%w: %s", err, out)
	}
	return result{mails: f.mails, took: time.Since(begin)}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// dsn returns the DSN of a new store.
func (f *environment) dsn(ctx context.Context, engine string) (string, error) {
	f.runs++
	if engine == "postgres" {
		return f.postgres.Fresh(ctx, fmt.Sprintf("run%d", f.runs))
	}
	return "sqlite:" + filepath.Join(f.dir, fmt.Sprintf("run%d.db", f.runs)), nil
}

// prepare creates a store with articles and imported subscribers and returns its DSN.
func (f *environment) prepare(ctx context.Context, engine string) (string, error) {
	dsn, err := f.dsn(ctx, engine)
	if err != nil {
		return "", err
	}
	s, err := store.Open(ctx, dsn, store.Options{Durability: store.Normal})
	if err != nil {
		return "", err
	}
	defer s.Close()
	for i := range articles {
		a := sample(i, s.Now())
		if f.topics > 0 {
			a.Tags = []string{topicName(i % f.topics)}
		}
		if _, err := s.PutArticle(ctx, &a, nil, nil); err != nil {
			return "", err
		}
	}
	if err := addDigest(ctx, s); err != nil {
		return "", err
	}
	_, err = s.ImportSubscribers(ctx, f.rows(), store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	return dsn, err
}

// rows returns the rows of the imported list.
func (f *environment) rows() iter.Seq2[subscriber.Row, error] {
	return func(yield func(subscriber.Row, error) bool) {
		for i := range f.mails {
			address, err := subscriber.ParseAddress(fmt.Sprintf("reader%d@example.org", i))
			row := subscriber.Row{Line: i + 1, Address: address, Name: fmt.Sprintf("Reader No %d", i), Topics: f.topicsOf(i)}
			if !yield(row, err) {
				return
			}
		}
	}
}

// topicsOf returns a pseudo-random set of topics for a subscriber.
func (f *environment) topicsOf(reader int) []string {
	var out []string
	chance := rand.New(rand.NewPCG(uint64(reader), 1)).Uint64()
	for topic := range f.topics {
		if chance&(1<<topic) != 0 {
			out = append(out, topicName(topic))
		}
	}
	return out
}

func topicName(n int) string { return fmt.Sprintf("topic %d", n) }

// articles is the number of articles of an edition, which makes a mail of about 41 KB.
const articles = 11

func sample(i int, now time.Time) article.Article {
	text := strings.Repeat("The ferry waited eleven minutes for a school bus, and nobody on board complained about it at all. ", 4)
	return article.Article{
		Source: fmt.Sprintf("bench:%d", i), Slug: fmt.Sprintf("article-%d", i), Title: fmt.Sprintf("Article number %d of this edition", i),
		Summary: text, HTML: "<p>" + text + "</p>", Language: "en", Published: now, Updated: now, Status: article.Published,
		Authors: []article.Author{{Name: "Ada Whitlock"}}, Hash: strconv.Itoa(i),
	}
}

// mailSize returns the size of a mail as a node renders it, by sending one.
func (f *environment) mailSize(ctx context.Context) (int, error) {
	server, err := f.sink()
	if err != nil {
		return 0, err
	}
	defer server.Close()
	one := *f
	one.mails, one.delay, one.topics = 1, 0, 0
	dsn, err := one.prepare(ctx, "sqlite")
	if err != nil {
		return 0, err
	}
	f.runs = one.runs
	if _, err := one.node(ctx, dsn, server.Addr(), "", 1); err != nil {
		return 0, err
	}
	return int(server.Tally.Bytes()), nil
}

func addDigest(ctx context.Context, s *store.Store) error {
	// New stores the digests of its options.
	if _, err := newEngine(ctx, s, relay.Config{}, "", nil); err != nil {
		return err
	}
	return s.SetDigestSince(ctx, "weekly", time.Time{})
}
