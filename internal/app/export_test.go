package app

import (
	"net/http"
	"time"
)

// Hasten makes it poll continually, and lets our hub send requests to subscribers on this machine.
func (w *WebSub) Hasten() {
	w.publisher.Poll, w.worker.Poll = 5*time.Millisecond, 5*time.Millisecond
	if w.Hub != nil {
		w.Hub.Client = &http.Client{}
	}
}
