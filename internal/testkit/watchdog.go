package testkit

import (
	"os"
	"os/exec"
	"syscall"
)

// watchdogScript waits until the pipe on its input closes, which the kernel does when the
// test process ends, even if it is killed. Then it stops the server and removes its
// folder.
const watchdogScript = `
read -r ignored
dir="$1"
pid="$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null)"
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "-$pid" 2>/dev/null
fi
rm -rf "$dir"
`

// watch starts the watchdog of a server. The watchdog has its own process group, so that
// Ctrl-C in the terminal does not end it early.
func (p *Postgres) watch() error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "watchdog", p.dir)
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() //nolint:errcheck // it is only reaped
	p.watchdogPipe = write
	return nil
}
