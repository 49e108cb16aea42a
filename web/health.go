package web

import (
	"context"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/store"
)

// alive says that the process answers: a supervisor restarts it when not.
func alive(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, "ok")
}

// ready says whether the store answers: a load balancer sends no requests when not.
func ready(s *store.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := s.Ping(ctx); err != nil {
			say(w, http.StatusServiceUnavailable, "the store does not answer")
			return
		}
		say(w, http.StatusOK, "ok")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
