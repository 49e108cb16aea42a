package web

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns an HTTP server with limits that slow or idle clients cannot
// stretch. Pages that stay open, such as the progress of an edition, lift the
// limit on writing for themselves.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
