// Package benchkit is shared by the benchmarks: it builds and starts the real program and the
// servers that it is compared with, and measures them with wrk. Start with Build and Start.
package benchkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Build compiles the program into a folder and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "tidings")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "github.com/tidings-press/tidings/cmd/tidings")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// Process is a server that was started.
type Process struct {
	Address string // host and port
	cmd     *exec.Cmd
	log     string
}

// Start starts a server and waits until it accepts connections at an address. Its output goes into
// a file in dir.
func Start(ctx context.Context, dir, address, program string, args ...string) (*Process, error) {
	log, err := os.CreateTemp(dir, filepath.Base(program)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w (see scripts/install-test-tools)", program, err)
	}
	p := &Process{Address: address, cmd: cmd, log: log.Name()}
	for range 500 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return p, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	err = fmt.Errorf("%s does not accept connections at %s", program, address)
	said, _ := os.ReadFile(p.log)
	return nil, errors.Join(err, errors.New(string(said)), p.Stop())
}

// Stop ends the process and waits for its end.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return nil
	}
	return err
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// CPU returns the processor time that the process and its children have used so far
// (proc(5), stat). nginx answers in child processes.
func (p *Process) CPU() time.Duration {
	used := cpuOf(strconv.Itoa(p.PID()))
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.PID())) // the pattern is valid
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, child := range strings.Fields(string(children)) {
			used += cpuOf(child)
		}
	}
	return used
}

// cpuOf returns the processor time of one process; 0 when it has ended.
func cpuOf(pid string) time.Duration {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ") // the name before may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // digits only
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all of Linux
	return time.Duration(user+system) * tick
}

// FreeAddress returns an address of the loopback interface at which no server listens.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func writeTemp(dir, pattern, text string) (string, error) {
	file, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(text)
	return file.Name(), errors.Join(err, file.Close())
}
