package app

import (
	"io"
	"log/slog"

	"github.com/tidings-press/tidings/internal/config"
)

// level is shared by all loggers of the process, so that a reload changes it.
var level slog.LevelVar

// NewLogger makes the service's logger: text for people, JSON for machines. With
// the format auto a terminal decides.
func NewLogger(w io.Writer, c config.Log, terminal bool) *slog.Logger {
	SetLevel(c)
	if c.Format == "json" || c.Format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &level}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: &level, ReplaceAttr: shortTime}))
}

// SetLevel changes how much is logged, from now on.
func SetLevel(c config.Log) {
	var l slog.Level
	if l.UnmarshalText([]byte(c.Level)) == nil {
		level.Set(l)
	}
}

// shortTime leaves out the day: people look at a terminal now.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.String(a.Key, a.Value.Time().Format("15:04:05.000"))
	}
	return a
}
