package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// importList measures the work of "tidings subscriber import": reading a CSV file, checking each line,
// and storing the subscribers.
func (f *environment) importList(ctx context.Context, engine string) (result, error) {
	dsn, err := f.dsn(ctx, engine)
	if err != nil {
		return result{}, err
	}
	s, err := store.Open(ctx, dsn, store.Options{Durability: store.Durability(f.durability)})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	if err := addDigest(ctx, s); err != nil {
		return result{}, err
	}
	path := filepath.Join(f.dir, "list.csv")
	if err := writeList(path, f.mails); err != nil {
		return result{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return result{}, err
	}
	defer file.Close()
	begin := time.Now()
	list, err := subscriber.OpenList(file, subscriber.ListOptions{})
	if err != nil {
		return result{}, err
	}
	got, err := s.ImportSubscribers(ctx, list.Rows(), store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	if err == nil && got.Added != int64(f.mails) {
		err = fmt.Errorf("%d of %d were added", got.Added, f.mails)
	}
	return result{mails: f.mails, took: time.Since(begin)}, err
}

func writeList(path string, n int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "address,name,language")
	for i := range n {
		fmt.Fprintf(w, "reader%d@example.org,Reader No %d,en\n", i, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// recordConnections is the number of connections that a node opens to a fast relay.
const recordConnections = 64

// record measures the store alone: it freezes an edition, and then recordConnections goroutines record
// the outcome of one delivery and the intent of the next, without sending mail.
func (f *environment) record(ctx context.Context, engine string) (result, error) {
	dsn, err := f.prepare(ctx, engine)
	if err != nil {
		return result{}, err
	}
	s, err := store.Open(ctx, dsn, store.Options{Durability: store.Durability(f.durability)})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	e, err := newEngine(ctx, s, relay.Config{}, fmt.Sprint(f.chunk), nil)
	if err != nil {
		return result{}, err
	}
	before, err := size(ctx, s)
	if err != nil {
		return result{}, err
	}
	begin := time.Now()
	if _, err := e.SendNow(ctx, "weekly", "bench"); err != nil {
		return result{}, err
	}
	froze := time.Since(begin)
	begin = time.Now()
	if err := f.recordAll(ctx, s); err != nil {
		return result{}, err
	}
	r := result{mails: f.mails, took: time.Since(begin)}
	after, err := size(ctx, s)
	fmt.Fprintf(os.Stderr, "%s: froze %.0f deliveries a second; %d octets of disk for each in the end\n", engine, float64(f.mails)/froze.Seconds(), (after-before)/int64(f.mails))
	return r, err
}

// recordAll claims all chunks and records their deliveries as sent.
func (f *environment) recordAll(ctx context.Context, s *store.Store) error {
	recorder := s.NewRecorder()
	defer recorder.Close()
	type job struct {
		chunk  store.Chunk
		person store.Recipient
	}
	jobs := make(chan job, 2*f.chunk)
	var work sync.WaitGroup
	failed := make(chan error, recordConnections)
	for range recordConnections {
		work.Go(func() {
			var last *store.Outcome
			for j := range jobs {
				intent := store.Intent{Chunk: j.chunk, Subscriber: j.person.Subscriber, Nonce: j.person.Subscriber}
				granted, err := recorder.Record(ctx, store.RecorderEntry{Outcome: last, Intent: &intent})
				if err != nil || !granted {
					failed <- fmt.Errorf("not granted: %w", err)
					return
				}
				last = &store.Outcome{Intent: intent, State: digest.DeliverySent, Code: 250, Reply: "2.0.0 ok: queued as 4F3k9x", Relay: "main"}
			}
			if _, err := recorder.Record(ctx, store.RecorderEntry{Outcome: last}); last != nil && err != nil {
				failed <- err
			}
		})
	}
	err := func() error {
		defer close(jobs)
		for {
			c, err := s.ClaimChunk(ctx, "bench", time.Hour)
			if err != nil || c == nil {
				return err
			}
			people, err := s.Recipients(ctx, *c, true)
			if err != nil {
				return err
			}
			for _, p := range people {
				select {
				case jobs <- job{*c, p}:
				case err := <-failed:
					return err
				}
			}
		}
	}()
	work.Wait()
	return err
}

// size returns the size of the store on disk, in octets.
func size(ctx context.Context, s *store.Store) (int64, error) {
	query := "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
	if s.Engine() == store.Postgres {
		query = "SELECT pg_database_size(current_database())"
	}
	var n int64
	return n, s.DB().QueryRowContext(ctx, query).Scan(&n)
}
