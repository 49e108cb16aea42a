package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/web/middleware"
)

// NewServer returns an HTTP server whose limits close slow and idle connections. Handlers
// of long answers, such as the progress of an edition, extend the limit on writing
// themselves.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler,
		// With different values the server would set a second deadline after each head. The
		// middleware limits bodies and answers.
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		ConnContext:       middleware.ConnContext,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
