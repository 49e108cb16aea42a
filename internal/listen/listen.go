// Package listen opens the sockets on which the service listens. Open returns a listener for an
// address, a Unix socket or a socket that systemd passes.
package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
)

// Open listens on an address such as ":8080" or "127.0.0.1:8080", on a Unix socket
// ("unix:/run/tidings/http.sock") with the given permissions, or on a socket that systemd passes
// ("systemd:NAME", or "systemd" if it passes only one).
func Open(address string, mode os.FileMode) (net.Listener, error) {
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		return openUnix(path, mode)
	}
	if name, isSystemd := strings.CutPrefix(address, "systemd"); isSystemd {
		return fromSystemd(strings.TrimPrefix(name, ":"))
	}
	return net.Listen("tcp", address)
}

// openUnix listens on a Unix socket. It replaces the file that a killed process left, but no other
// file and no socket that answers.
func openUnix(path string, mode os.FileMode) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s exists and is not a socket", path)
		}
		if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("another process listens on %s", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// passed returns the sockets of this process from systemd, by the names of their units. It reads the
// environment once, and removes the variables so that child processes do not use them.
var passed = sync.OnceValues(activation.ListenersWithNames)

func fromSystemd(name string) (net.Listener, error) {
	sockets, err := passed()
	if err != nil {
		return nil, err
	}
	var names []string
	for n := range sockets {
		names = append(names, n)
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return nil, errors.New("systemd passes no stream socket; start the service by its socket unit, with ListenStream")
	case name == "" && len(names) == 1:
		name = names[0]
	case name == "":
		return nil, fmt.Errorf("systemd passes several sockets; name one: systemd:%s", strings.Join(names, ", systemd:"))
	}
	if len(sockets[name]) != 1 {
		return nil, fmt.Errorf("systemd passes %d sockets named %q; it passes %s", len(sockets[name]), name, strings.Join(names, ", "))
	}
	return sockets[name][0], nil
}
