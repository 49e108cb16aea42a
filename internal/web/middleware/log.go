package middleware

import (
	"context"
	"log/slog"
)

// WithRequestID returns a logger that adds the id of the request to each line that is logged with the
// request's context.
func WithRequestID(log *slog.Logger) *slog.Logger { return slog.New(requestHandler{log.Handler()}) }

// requestHandler is the handler of WithRequestID.
type requestHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h requestHandler) Handle(ctx context.Context, line slog.Record) error {
	if id := ID(ctx); id != "" {
		line.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}
