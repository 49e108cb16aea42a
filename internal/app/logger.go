package app

import (
	"io"
	"log/slog"
	"net/netip"
	"sync/atomic"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/connlimit"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// logSettings are what SetLevel changes of a logger and of all that are made from it.
type logSettings struct {
	level   slog.LevelVar
	clients atomic.Pointer[string] // the setting log.clients
}

func (l *logSettings) set(c config.Log) {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Level)) == nil {
		l.level.Set(level)
	}
	l.clients.Store(&c.Clients)
}

// logHandler is a handler whose settings can be changed.
type logHandler struct {
	slog.Handler
	settings *logSettings
}

// WithAttrs returns a handler with the same settings.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs), h.settings}
}

// WithGroup returns a handler with the same settings.
func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name), h.settings}
}

// NewLogger returns a logger: as text or as JSON. The format auto means text on a terminal. Whatever
// looks like a mail address is left out of its lines, since errors and replies of mail servers name
// people; addresses of clients are shortened as the settings say.
func NewLogger(w io.Writer, c config.Log, terminal bool) *slog.Logger {
	l := &logSettings{}
	l.set(c)
	if c.Format == "json" || c.Format == "auto" && !terminal {
		return slog.New(logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &l.level, ReplaceAttr: l.withoutPersons}), l})
	}
	return slog.New(logHandler{slog.NewTextHandler(w, &slog.HandlerOptions{Level: &l.level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		return shortTime(groups, l.withoutPersons(groups, a))
	}}), l})
}

// SetLevel sets the level of a logger that NewLogger returned, and what it shows of the addresses of
// clients. It changes no other logger.
func SetLevel(log *slog.Logger, c config.Log) {
	if h, ok := log.Handler().(logHandler); ok {
		h.settings.set(c)
	}
}

// withoutPersons removes mail addresses from a value, and shortens the address of a client.
func (l *logSettings) withoutPersons(_ []string, a slog.Attr) slog.Attr {
	switch value := a.Value.Any().(type) {
	case string:
		if a.Key == "client" || a.Key == "network" {
			return slog.String(a.Key, l.shortClient(value))
		}
		return slog.String(a.Key, subscriber.ScrubAddresses(value))
	case error:
		return slog.String(a.Key, subscriber.ScrubAddresses(value.Error()))
	}
	return a
}

// shortClient returns the address or network of a client as the setting log.clients says.
func (l *logSettings) shortClient(client string) string {
	setting := l.clients.Load()
	if *setting == "full" {
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
	return connlimit.Network24or48(address.Unmap()).String()
}

// shortTime prints the time without the day.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.String(a.Key, a.Value.Time().Format("15:04:05.000"))
	}
	return a
}
