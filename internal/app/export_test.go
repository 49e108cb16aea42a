package app

import (
	"net/http"
	"time"
)

// PollFast makes it poll every 5 ms, and lets our hub send requests to subscribers on this machine.
func (w *WebSub) PollFast() {
	w.publisher.Poll, w.worker.Poll = 5*time.Millisecond, 5*time.Millisecond
	if w.Hub != nil {
		w.Hub.Client = &http.Client{}
	}
}
