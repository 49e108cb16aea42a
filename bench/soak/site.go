package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

// digests are the names and schedules.
var digests = map[string]string{"five": "*/5 * * * * *", "eight": "*/8 * * * * *", "twenty": "*/20 * * * * *"}

// site is a publication under test: its store, its nodes, the SMTP servers, and what was done to them.
type site struct {
	options
	engine   store.Engine
	dir, dsn string
	ram      string // folder of a small disk in memory; empty if none could be mounted
	postgres *testkit.Postgres
	db       *store.Store
	web      string // address of the pages
	metrics  string // address of the metrics of the node that is measured
	relays   [2]*mailServer
	mails    *received

	long     *node // serves pages; it is measured, and on SQLite killed only at first
	short    *node // a second node on PostgreSQL, which is killed; nil on SQLite
	ahead    time.Duration
	articles articles
	readers  feedReaders
	samples  []sample
	twice    int // mails that arrived a second time
	began    time.Time

	mu     sync.Mutex
	counts map[string]int // of disturbances, by what was done
	broken []string       // promises, as noticed on the way
}

// newSite makes a store with subscribers, and the SMTP servers.
func newSite(ctx context.Context, engine store.Engine, o options) (*site, error) {
	dir, err := os.MkdirTemp("", "tidings-soak-")
	if err != nil {
		return nil, err
	}
	s := &site{options: o, engine: engine, dir: dir, counts: map[string]int{}, mails: newReceived()}
	if err := s.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) prepare(ctx context.Context) (err error) {
	if err := os.Mkdir(filepath.Join(s.dir, "articles"), 0o700); err != nil {
		return err
	}
	switch s.engine {
	case store.SQLite:
		s.mountDisk()
		s.dsn = "sqlite:" + filepath.Join(s.dir, "disk", "tidings.db")
		err = os.MkdirAll(filepath.Join(s.dir, "disk"), 0o700)
	case store.Postgres:
		if s.postgres, err = testkit.LaunchPostgres(testkit.PostgresOptions{}); err == nil {
			s.dsn, err = s.postgres.Fresh(ctx, "soak")
		}
	default:
		err = fmt.Errorf("unknown store %q; use sqlite or postgres", s.engine)
	}
	if err != nil {
		return err
	}
	for i := range s.relays {
		if s.relays[i], err = newMailServer(s.mails.keep); err != nil {
			return err
		}
	}
	if s.web, err = benchkit.FreeAddress(); err != nil {
		return err
	}
	if s.metrics, err = benchkit.FreeAddress(); err != nil {
		return err
	}
	for name, text := range map[string]string{"long.yaml": s.settings(true), "short.yaml": s.settings(false), clockFile: "0"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if s.db, err = store.Open(ctx, s.dsn, store.Options{}); err != nil {
		return err
	}
	for name := range digests {
		if _, err := s.db.ImportSubscribers(ctx, s.list(name), store.ImportOptions{Digests: []string{name}, State: subscriber.Active}); err != nil {
			return err
		}
	}
	return nil
}

// mountDisk mounts a small disk in memory for the store, which only root may do. Without it the disk
// is not filled.
func (s *site) mountDisk() {
	folder := filepath.Join(s.dir, "disk")
	if os.Mkdir(folder, 0o700) != nil {
		return
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=512m", "tidings-soak", folder).CombinedOutput(); err != nil {
		fmt.Printf("NOTE: the disk will not be filled, since no disk in memory can be mounted: %s\n", strings.TrimSpace(string(out)))
		return
	}
	s.ram = folder
}

// settings returns the configuration of a node. Only the first one serves pages and reads articles.
func (s *site) settings(first bool) string {
	var out strings.Builder
	fmt.Fprintf(&out, "site: {title: The Soak, description: News of a long night, url: %q, language: en}\nstore: {dsn: %q}\n", "http://"+s.web, s.dsn)
	fmt.Fprintf(&out, "server: {listen: %q}\n", s.web)
	if first {
		fmt.Fprintf(&out, "metrics: {listen: %q, pprof: true}\nimport: {sources: [{path: articles, watch: true}]}\n", s.metrics)
	}
	out.WriteString("digests:\n")
	for name, schedule := range digests {
		fmt.Fprintf(&out, "- {name: %s, title: Digest %s, schedule: %q, max_articles: 200, sender: The Soak <news@soak.example>}\n", name, name, schedule)
	}
	out.WriteString("relays:\n")
	for i, relay := range s.relays {
		_, port, _ := net.SplitHostPort(relay.address) // made by net.Listen
		fmt.Fprintf(&out, "- {name: relay%d, host: 127.0.0.1, port: %s, tls: none, connections_per_node: 4}\n", i, port)
	}
	out.WriteString("mail: {postal_address: 1 Long Street}\ndelivery: {uncertain: resend, chunk: 100, lease: 3s}\nlog: {level: warn}\n")
	return out.String()
}

// list returns the subscribers of a digest.
func (s *site) list(digest string) iter.Seq2[subscriber.Row, error] {
	return func(yield func(subscriber.Row, error) bool) {
		for i := range s.subscribers {
			address, err := subscriber.ParseAddress(fmt.Sprintf("%s%d@d%d.example", digest, i, i%40))
			if !yield(subscriber.Row{Line: i + 1, Address: address, Name: fmt.Sprint("Subscriber ", i)}, err) {
				return
			}
		}
	}
}

// start starts the nodes and waits until the pages are served.
func (s *site) start(ctx context.Context) (err error) {
	s.began = time.Now()
	if s.long, err = startNode(s.dir, "serve", filepath.Join(s.dir, "long.yaml")); err != nil {
		return err
	}
	if s.engine == store.Postgres {
		if s.short, err = startNode(s.dir, "worker", filepath.Join(s.dir, "short.yaml")); err != nil {
			return err
		}
	}
	return s.awaitPages(ctx)
}

// awaitPages waits until the first node serves pages.
func (s *site) awaitPages(ctx context.Context) error {
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.long.done:
			return fmt.Errorf("the node ended at its start:\n%s", s.logs())
		default:
		}
		if c, err := net.Dial("tcp", s.metrics); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("the node serves nothing after two minutes:\n%s", s.logs())
}

// setClock moves the clock of all nodes.
func (s *site) setClock(ahead time.Duration) error {
	s.ahead = ahead
	fresh := filepath.Join(s.dir, clockFile+".new")
	err := os.WriteFile(fresh, fmt.Append(nil, ahead.Milliseconds()), 0o600)
	return errors.Join(err, os.Rename(fresh, filepath.Join(s.dir, clockFile)))
}

// logs returns the ends of the logs of the nodes.
func (s *site) logs() string {
	var out strings.Builder
	for _, role := range []string{"serve", "worker"} {
		data, err := os.ReadFile(filepath.Join(s.dir, role+".log"))
		if err == nil && len(data) > 0 {
			fmt.Fprintf(&out, "log of %s:\n%s", role, data[max(0, len(data)-3000):])
		}
	}
	return out.String()
}

// close ends everything and removes the files.
func (s *site) close() {
	for _, n := range []*node{s.long, s.short} {
		if n != nil {
			n.kill()
		}
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.postgres != nil {
		s.postgres.Remove()
	}
	for _, relay := range s.relays {
		if relay != nil {
			relay.stop()
		}
	}
	if s.ram != "" {
		if out, err := exec.Command("umount", s.ram).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "soak: umount %s: %s", s.ram, out)
			return
		}
	}
	_ = os.RemoveAll(s.dir)
}

// breach notes a broken promise.
func (s *site) breach(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

// did counts a disturbance.
func (s *site) did(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
	if s.verbose {
		fmt.Printf("%6.1fs  %s\n", time.Since(s.began).Seconds(), what)
	}
}
