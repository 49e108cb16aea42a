package web

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// alive says that the process answers: a supervisor restarts it when not.
func alive(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, "ok")
}

// ready answers whether this node can do its work: a load balancer sends it no requests
// when not.
func ready(d Deps) http.Handler {
	if d.Ready != nil {
		return d.Ready
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := d.Store.Probe(ctx, "pages"); err != nil {
			say(w, http.StatusServiceUnavailable, string(store.FaultOf(err)))
			return
		}
		say(w, http.StatusOK, "ok")
	})
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
