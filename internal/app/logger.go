package app

import (
	"io"
	"log/slog"
	"net/netip"
	"sync/atomic"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/middleware"
)

// level and clients are shared by all loggers of the process, so that a reload can change them.
var (
	level   slog.LevelVar
	clients atomic.Pointer[string] // the setting log.clients
)

// NewLogger returns a logger: as text or as JSON. The format auto means text on a terminal. Whatever
// looks like a mail address is left out of its lines, since errors and replies of mail servers name
// people; addresses of clients are shortened as the settings say.
func NewLogger(w io.Writer, c config.Log, terminal bool) *slog.Logger {
	SetLevel(c)
	if c.Format == "json" || c.Format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &level, ReplaceAttr: withoutPersons}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: &level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		return shortTime(groups, withoutPersons(groups, a))
	}}))
}

// SetLevel sets the level of all loggers, and what they show of the addresses of clients.
func SetLevel(c config.Log) {
	var l slog.Level
	if l.UnmarshalText([]byte(c.Level)) == nil {
		level.Set(l)
	}
	clients.Store(&c.Clients)
}

// withoutPersons removes mail addresses from a value, and shortens the address of a client.
func withoutPersons(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		if a.Key == "client" || a.Key == "network" {
			return slog.String(a.Key, shortClient(value))
		}
		return slog.String(a.Key, subscriber.ScrubAddresses(value))
	case error:
		return slog.String(a.Key, subscriber.ScrubAddresses(value.Error()))
	}
	return a
}

// shortClient returns the address or network of a client as the setting log.clients says.
func shortClient(client string) string {
	setting := clients.Load()
	if setting == nil || *setting == "full" {
		return client
	}
	if *setting == "none" {
		return ""
	}
	address, err := netip.ParseAddr(client)
	if prefix, isNetwork := netip.ParsePrefix(client); isNetwork == nil {
		address, err = prefix.Addr(), nil
	}
	if err != nil {
		return client // a text such as "an unknown address"
	}
	return middleware.Network24or48(address.Unmap()).String()
}

// shortTime prints the time without the day.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.String(a.Key, a.Value.Time().Format("15:04:05.000"))
	}
	return a
}
