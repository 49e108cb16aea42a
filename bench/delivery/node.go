package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/delivery/relay"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
	"github.com/tidings-press/tidings/templates"
)

// nodeVariable is the environment variable that makes this program run as a node. A node is a process
// of its own, so that its memory can be measured.
const nodeVariable = "TIDINGS_BENCH_NODE"

// nodeOptions are the options of a node, passed in nodeVariable.
type nodeOptions struct {
	DSN         string
	Host        string
	Port        int
	Key         string // rsa, ed25519 or none
	Connections int
	Durability  store.Durability
	Chunk       int
	Profile     string
	Wait        bool // send editions that other nodes start, until stdin is closed
}

// node starts a node and waits until it has sent an edition.
func (f *environment) node(ctx context.Context, dsn string, sink net.Addr, key string, connections int) (result, error) {
	cmd, err := f.command(ctx, dsn, sink, key, connections, false)
	if err != nil {
		return result{}, err
	}
	out, err := cmd.Output()
	if err != nil {
		return result{}, err
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	return result{mails: f.mails, took: r.Took, peak: r.Peak, cpu: r.CPU}, nil
}

// report is the output of a node that has sent an edition, as JSON.
type report struct {
	Took time.Duration
	Peak int64 // bytes of memory
	CPU  time.Duration
}

// peak returns the peak memory of this process. The rusage of a child that its parent gets cannot be
// used, because it includes memory of the parent from before the exec.
func peak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(after, "kB")
	kilobytes, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kilobytes * 1024
}

// cpu returns the CPU time of this process, user and system.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (f *environment) command(ctx context.Context, dsn string, sink net.Addr, key string, connections int, wait bool) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	to := sink.(*net.TCPAddr)
	o := nodeOptions{DSN: dsn, Host: to.IP.String(), Port: to.Port, Key: key, Connections: connections, Durability: store.Durability(f.durability), Chunk: f.chunk, Wait: wait}
	if f.profile != "" {
		o.Profile = filepath.Join(f.profile, fmt.Sprintf("node%d.pprof", f.runs))
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), nodeVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// runNode is the node's side.
func runNode() error {
	var o nodeOptions
	if err := json.Unmarshal([]byte(os.Getenv(nodeVariable)), &o); err != nil {
		return err
	}
	if o.Profile != "" {
		file, err := os.Create(o.Profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	app.LimitMemory(0) // like tidings worker, which serves no feeds
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opts := store.Options{Durability: o.Durability}
	if strings.HasPrefix(o.DSN, "sqlite:") {
		opts.Journal = strings.TrimPrefix(o.DSN, "sqlite:") + ".journal" // like the service
	}
	s, err := store.Open(ctx, o.DSN, opts)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := signingKeys(o.Key)
	if err != nil {
		return err
	}
	target := relay.Config{Weight: 1, PerNode: o.Connections, Relay: mailer.Relay{Name: "sink", Host: o.Host, Port: o.Port, Security: mailer.NoTLS, Auth: mailer.AuthNone}}
	engine, err := newEngine(ctx, s, target, strconv.Itoa(o.Chunk), keys)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	if o.Wait {
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
		return <-done
	}
	edition, err := engine.SendNow(ctx, "weekly", "bench")
	if err != nil {
		return err
	}
	took, err := awaitSent(ctx, s, edition.ID)
	if err != nil {
		return err
	}
	cancel()
	if err := <-done; err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report{took, peak(), cpu()})
}

// awaitSent waits until an edition is sent and returns the time from its approval to its end, as
// recorded in the store.
func awaitSent(ctx context.Context, s *store.Store, id string) (time.Duration, error) {
	for {
		edition, err := s.Edition(ctx, id)
		if err != nil {
			return 0, err
		}
		if edition.State == digest.Sent {
			return edition.Finished.Sub(edition.Approved), nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func newEngine(ctx context.Context, s *store.Store, target relay.Config, chunk string, keys []mailer.DKIMKey) (*delivery.Engine, error) {
	set, err := templates.Load("")
	if err != nil {
		return nil, err
	}
	links, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	size, _ := strconv.Atoi(chunk)
	o := delivery.Options{
		Store: s, Keys: links, Templates: set, DKIM: keys, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Site: digest.Site{Title: "The Gazette", URL: "https://gazette.example", Language: "en"},
		Digests: []delivery.Definition{{
			Definition: digest.Definition{Name: "weekly", Title: "The week"}, Max: 100,
			From: mailer.Address{Name: "The Gazette", Email: "editor@gazette.example"},
		}},
		ReturnPaths: true, UnsubscribeMail: true,
		Policy: delivery.Policy{Resend: true, Chunk: size},
	}
	if target.Port != 0 {
		o.Relays = []relay.Config{target}
	}
	return delivery.New(ctx, o)
}

func signingKeys(kind string) ([]mailer.DKIMKey, error) {
	if kind == "" {
		return nil, nil
	}
	fresh, err := mailer.GenerateKey(kind)
	if err != nil {
		return nil, err
	}
	signer, err := mailer.ParsePrivateKey(fresh.PEM)
	return []mailer.DKIMKey{{Domain: "gazette.example", Selector: "bench", Signer: signer}}, err
}

// nodes measures how the speed grows with the number of nodes on one PostgreSQL server, with a fixed
// number of connections per node. Use it with a delay, so that the sink is not the bottleneck.
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

// sendWithNodes sends an edition with n nodes.
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
	time.Sleep(500 * time.Millisecond) // until all nodes poll for work
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	engine, err := newEngine(ctx, s, relay.Config{}, fmt.Sprint(f.chunk), nil)
	if err != nil {
		return result{}, err
	}
	edition, err := engine.SendNow(ctx, "weekly", "bench")
	if err != nil {
		return result{}, err
	}
	took, err := awaitSent(ctx, s, edition.ID)
	if err == nil && server.Tally.Distinct() != int64(f.mails) {
		err = fmt.Errorf("%d of %d subscribers got the mail", server.Tally.Distinct(), f.mails)
	}
	return result{mails: f.mails, took: took}, err
}

// startNode starts a node that runs until its stdin is closed.
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
