package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

// NewServer returns an HTTP server with limits that slow or idle clients cannot
// stretch. Pages that stay open, such as the progress of an edition, lift the
// limit on writing for themselves.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler,
		// The same for both, or the server sets a second deadline after each head. Bodies
		// and answers have their limits from the middleware.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		ConnContext:       middleware.ConnContext,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
