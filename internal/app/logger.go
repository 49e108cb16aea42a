package app

import (
	"io"
	"log/slog"

	"github.com/tidings-press/tidings/internal/config"
)

// level is shared by all loggers of the process, so that a reload can change it.
var level slog.LevelVar

// NewLogger returns a logger: as text or as JSON. The format auto means text on a terminal.
func NewLogger(w io.Writer, c config.Log, terminal bool) *slog.Logger {
	SetLevel(c)
	if c.Format == "json" || c.Format == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &level}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: &level, ReplaceAttr: shortTime}))
}

// SetLevel sets the level of all loggers.
func SetLevel(c config.Log) {
	var l slog.Level
	if l.UnmarshalText([]byte(c.Level)) == nil {
		level.Set(l)
	}
}

// shortTime prints the time without the day.
func shortTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.String(a.Key, a.Value.Time().Format("15:04:05.000"))
	}
	return a
}
