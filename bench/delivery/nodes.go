package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// nodes measures how sending grows with the number of nodes on one PostgreSQL,
// with a fixed number of connections per node and a server that takes its time.
func (f *environment) nodes(ctx context.Context) error {
	fmt.Printf("%d mails of %d bytes, delay %v, %d connections per node, %d rounds, medians\n\n", f.mails, f.size, f.delay, f.connections, f.rounds)
	counts := []int{1, 2, 4}
	rates := map[int][]float64{}
	for range f.rounds {
		for _, n := range counts {
			r, err := f.sendWithNodes(ctx, n)
			if err != nil {
				return fmt.Errorf("%d nodes: %w", n, err)
			}
			rates[n] = append(rates[n], r.rate())
		}
	}
	fmt.Printf("%-8s %12s %12s\n", "nodes", "mails/s", "of one")
	for _, n := range counts {
		fmt.Printf("%-8d %12.0f %12.2f\n", n, median(rates[n]), median(rates[n])/median(rates[1]))
	}
	return nil
}

// sendWithNodes sends one edition by n nodes.
func (f *environment) sendWithNodes(ctx context.Context, n int) (result, error) {
	server, err := f.sink()
	if err != nil {
		return result{}, err
	}
	defer server.Close()
	dsn, err := f.prepare(ctx, "postgres")
	if err != nil {
		return result{}, err
	}
	var stops []func() error
	defer func() {
		for _, stop := range stops {
			_ = stop()
		}
	}()
	for range n {
		cmd, err := f.command(ctx, dsn, server.Addr(), "", f.connections, true)
		if err != nil {
			return result{}, err
		}
		stop, err := startNode(cmd)
		if err != nil {
			return result{}, err
		}
		stops = append(stops, stop)
	}
	time.Sleep(500 * time.Millisecond) // until all of them look for work
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	engine, err := newEngine(ctx, s, delivery.Relay{}, fmt.Sprint(f.chunk), nil)
	if err != nil {
		return result{}, err
	}
	edition, err := engine.SendNow(ctx, "weekly", "bench")
	if err != nil {
		return result{}, err
	}
	took, err := awaitSent(ctx, s, edition.ID)
	if err == nil && server.Tally.Distinct() != int64(f.mails) {
		err = errors.New("somebody was left out")
	}
	return result{mails: f.mails, took: took}, err
}

// startNode starts a node that works until its input is closed.
func startNode(cmd *exec.Cmd) (stop func() error, err error) {
	var in io.WriteCloser
	if in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error { return errors.Join(in.Close(), cmd.Wait()) }, nil
}
