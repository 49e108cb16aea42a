package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// nodeVariable is the environment variable that makes this program run as a node: the service itself, as
// "tidings serve" and "tidings worker" run it, with a clock that the soak moves. Its value is
// serve or worker.
const nodeVariable = "TIDINGS_SOAK_NODE"

// clockFile is the name of the file with what the clock is ahead, in milliseconds.
const clockFile = "clock"

// node is a running process of the service.
type node struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startNode starts a process in a folder with a configuration. Its output is appended to the file log.
func startNode(dir, role, configuration string) (*node, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, role+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	n := &node{exec.Command(self), make(chan struct{})}
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = dir, log, log
	n.cmd.Env = append(os.Environ(), nodeVariable+"="+role, "TIDINGS_CONFIG="+configuration, "GOGC=100", "GOMEMLIMIT=off") // as in service, whatever the soak runs with
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.done)
	}()
	return n, nil
}

// kill ends the process with SIGKILL.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.done
}

// runNode is the node's side.
func runNode() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	path := os.Getenv("TIDINGS_CONFIG")
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	options := app.StoreOptions(c)
	options.Clock = watchClock(ctx, filepath.Join(filepath.Dir(path), clockFile))
	s, err := store.Open(ctx, c.Store.DSN.Reveal(), options)
	if err != nil {
		return err
	}
	defer s.Close()
	set, err := app.CheckTemplates(c)
	if err != nil {
		return err
	}
	p := &app.Service{Config: c, Store: s, Templates: set, Log: app.NewLogger(os.Stderr, c.Log, true)}
	slog.SetDefault(p.Log)
	n := &app.Node{Service: p}
	if os.Getenv(nodeVariable) == "serve" {
		if n.HTTP, n.Redirects, err = p.OpenListeners(); err != nil {
			return err
		}
	}
	if err := n.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// watchClock returns a clock that is ahead by the duration in a file, which it reads all the time.
func watchClock(ctx context.Context, path string) func() time.Time {
	var ahead atomic.Int64
	read := func() {
		if data, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
				ahead.Store(n)
			}
		}
	}
	read()
	go func() {
		for ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
			read()
		}
	}()
	return func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Millisecond) }
}
