package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// disturb disturbs the service until the time is over, while articles are written, subscribers
// unsubscribe and readers poll.
func (s *site) disturb(ctx context.Context) error {
	users, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	for _, use := range []func(context.Context){s.writeArticles, s.unsubscribeSome, s.pollFeeds, s.watchResources} {
		work.Go(func() { use(users) })
	}
	defer work.Wait()
	defer stop()
	pause := min(max(s.time/40, time.Second), 20*time.Second)
	for n := 0; time.Since(s.began) < s.time; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
		}
		list := s.disturbances()
		if err := list[n%len(list)](ctx); err != nil {
			return err
		}
	}
	return nil
}

// disturbances returns what can be done to the service now, in the order in which it is done.
func (s *site) disturbances() []func(context.Context) error {
	list := []func(context.Context) error{s.stopRelay, s.clockForward, s.freezeNode, s.clockBack}
	switch {
	case s.postgres != nil:
		list = append(list, s.killWorker, s.restartPostgres, s.killWorker, s.crashPostgres)
	case time.Since(s.began) < s.time/3: // the last process lives long, so that it can be measured
		list = []func(context.Context) error{s.killServer, s.clockForward}
	}
	if s.ram != "" {
		list = append(list, s.fillDisk)
	}
	return list
}

func (s *site) stopRelay(ctx context.Context) error {
	relay := s.relays[rand.IntN(len(s.relays))]
	relay.stop()
	sleep(ctx, time.Second+rand.N(2*time.Second))
	s.did("a relay was down")
	return relay.start(faults)
}

func (s *site) clockForward(context.Context) error {
	s.did("the clock jumped forward")
	return s.setClock(s.ahead + 5*time.Second + rand.N(time.Minute))
}

func (s *site) clockBack(context.Context) error {
	s.did("the clock jumped back")
	return s.setClock(s.ahead - 2*time.Second - rand.N(8*time.Second))
}

// freezeNode stops a node for longer than its leases.
func (s *site) freezeNode(ctx context.Context) error {
	frozen := s.long
	if s.short != nil && rand.IntN(2) == 0 {
		if err := s.reviveWorker(); err != nil {
			return err
		}
		frozen = s.short
	}
	err := frozen.cmd.Process.Signal(syscall.SIGSTOP)
	if err == nil {
		sleep(ctx, 4*time.Second)
		s.did("a node was frozen")
		err = frozen.cmd.Process.Signal(syscall.SIGCONT)
	}
	if frozen == s.short && errors.Is(err, os.ErrProcessDone) {
		return s.reviveWorker()
	}
	return err
}

func (s *site) killServer(ctx context.Context) error {
	s.long.kill()
	s.did("a node was killed")
	next, err := startNode(s.dir, "serve", filepath.Join(s.dir, "long.yaml"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.long = next
	s.mu.Unlock()
	return s.awaitPages(ctx)
}

func (s *site) killWorker(context.Context) (err error) {
	s.short.kill()
	s.did("a node was killed")
	s.short, err = startNode(s.dir, "worker", filepath.Join(s.dir, "short.yaml"))
	return err
}

// reviveWorker starts the second node again if it has ended: one that starts while the store is down
// ends with an error, and a supervisor would start it again.
func (s *site) reviveWorker() (err error) {
	select {
	case <-s.short.done:
		s.short, err = startNode(s.dir, "worker", filepath.Join(s.dir, "short.yaml"))
	default:
	}
	return err
}

func (s *site) restartPostgres(context.Context) error {
	s.did("PostgreSQL restarted")
	return errors.Join(s.postgres.Restart(), s.reviveWorker())
}

func (s *site) crashPostgres(context.Context) error {
	s.did("PostgreSQL was killed")
	return errors.Join(s.postgres.Kill(), s.postgres.Start(), s.reviveWorker())
}

// fillDisk leaves no byte free on the disk of the store for some seconds.
func (s *site) fillDisk(ctx context.Context) error {
	path := filepath.Join(s.ram, "filler")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 1<<20)
	for size := len(block); size > 0; {
		if _, err := file.Write(block[:size]); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			return err
		}
	}
	sleep(ctx, 3*time.Second)
	s.did("the disk was full")
	return os.Remove(path)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Settling.
const (
	settleTime = 10 * time.Minute // without a mail; how long a queue takes depends on the machine
	retryStep  = 10 * time.Minute // what the clock moves when only mails are left that are due later
	quietTicks = 4                // how often all is sent after the clock has moved over a tick
)

// settle ends the disturbances and waits until everything that is due has been sent.
func (s *site) settle(ctx context.Context) error {
	for _, relay := range s.relays {
		relay.stop()
		if err := relay.start(nil); err != nil {
			return err
		}
	}
	sent, quiet := -1, 0
	for moved := time.Now(); time.Since(moved) < settleTime && ctx.Err() == nil; sleep(ctx, 1500*time.Millisecond) {
		if s.short != nil {
			if err := s.reviveWorker(); err != nil {
				return err
			}
		}
		open, err := s.db.OpenEditions(ctx, 100)
		if err != nil {
			return err
		}
		waiting, err := s.waiting(ctx)
		if err != nil {
			return err
		}
		before := sent
		sent = s.mails.count()
		step := time.Duration(0)
		switch {
		case sent != before:
			moved, quiet = time.Now(), 0
		case len(open) > 0:
			quiet, step = 0, retryStep
		case quiet >= quietTicks && waiting == 0:
			s.sampleSettled(ctx)
			return nil
		default:
			quiet, step = quiet+1, time.Minute
		}
		if err := s.setClock(s.ahead + step); err != nil {
			return err
		}
	}
	return s.unsettled(ctx)
}

// waiting returns how many articles are not imported yet, and how many are not in an edition yet, of
// each digest.
func (s *site) waiting(ctx context.Context) (int, error) {
	published, waiting := 0, 0
	err := s.db.DB().QueryRowContext(ctx, "SELECT count(*) FROM articles WHERE status = 'published'").Scan(&published)
	for name := range digests {
		n := 0
		err = errors.Join(err, s.db.DB().QueryRowContext(ctx, `SELECT count(*) FROM articles a
			WHERE status = 'published' AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.digest = $1 AND l.article_id = a.id)`, name).Scan(&n))
		waiting += n
	}
	return waiting + max(0, len(s.articles.published)-len(s.articles.withdrawn)-published), err
}

// unsettled describes what is still open.
func (s *site) unsettled(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	open, err := s.db.OpenEditions(ctx, 100)
	errs := []error{err, fmt.Errorf("not settled: %d editions are open, and no mail was accepted for %s", len(open), settleTime)}
	for _, e := range open {
		counts, err := s.db.EditionCounts(ctx, e.Seq)
		errs = append(errs, err, fmt.Errorf("edition %s of %s is %s with %+v", e.ID, e.Digest, e.State, counts))
	}
	return errors.Join(errs...)
}

func (r *received) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total
}
