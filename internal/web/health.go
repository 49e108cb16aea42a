package web

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// alive reports that the process answers requests. A supervisor restarts one that does
// not.
func alive(w http.ResponseWriter, _ *http.Request) {
	writePlain(w, http.StatusOK, "ok")
}

// ready reports whether this node can do its work. A load balancer sends requests only to
// nodes that can.
func ready(d Deps) http.Handler {
	if d.Ready != nil {
		return d.Ready
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := d.Store.Probe(ctx, "pages"); err != nil {
			writePlain(w, http.StatusServiceUnavailable, string(store.FaultOf(err)))
			return
		}
		writePlain(w, http.StatusOK, "ok")
	})
}

func writePlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
