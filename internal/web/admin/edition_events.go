package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// A stream ends after streamLimit, so that streams of vanished clients end too; browsers
// reconnect by themselves. Comments every keepAliveInterval keep proxies from closing an idle
// connection.
const (
	streamLimit       = 10 * time.Minute
	keepAliveInterval = 15 * time.Second
	eventPoll         = 500 * time.Millisecond // between looks at work that reports no changes by itself
)

// editionEvents streams an edition's progress as server-sent events (HTML Standard,
// section 9.2): "progress" with the HTML of the progress card, "controls" with the
// buttons when they change, and "end" as the last event.
func (h *Handler) editionEvents(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id := r.PathValue("id")
	if _, err := h.store.Edition(r.Context(), id); err != nil {
		return err
	}
	s := h.openStream(w)
	if r.Method == http.MethodHead {
		return nil
	}
	changes := h.engine.Watch(r.Context(), id)
	keepAlive := time.NewTicker(keepAliveInterval)
	defer keepAlive.Stop()
	limit := time.NewTimer(streamLimit)
	defer limit.Stop()
	for s.err == nil {
		select {
		case p, ok := <-changes:
			if !ok {
				s.send("end", nil)
				return nil
			}
			s.show(progress{p, h.digestTitle(p.Edition.Digest), &session.Editor})
		case <-keepAlive.C:
			s.write([]byte(":\n\n"))
		case <-limit.C:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
	return nil // the browser disconnected
}

// follow calls step now and twice a second until it reports the end or fails, the browser has gone, or the
// stream has been open for its longest time. what names the stream in the log.
func (h *Handler) follow(s *eventStream, r *http.Request, what string, step func() (ended bool, err error)) error {
	poll, keepAlive := time.NewTicker(eventPoll), time.NewTicker(keepAliveInterval)
	defer poll.Stop()
	defer keepAlive.Stop()
	limit := time.NewTimer(streamLimit)
	defer limit.Stop()
	for s.err == nil {
		ended, err := step()
		switch {
		case err != nil && r.Context().Err() == nil:
			h.log.ErrorContext(r.Context(), "progress not shown", "of", what, "error", err)
			return nil
		case err == nil && ended:
			s.send("end", nil)
			return nil
		}
		select {
		case <-poll.C:
		case <-keepAlive.C:
			s.write([]byte(":\n\n"))
		case <-limit.C:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
	return nil // the browser disconnected
}

// eventStream is the event stream of one open page.
type eventStream struct {
	handler  *Handler
	w        http.ResponseWriter
	control  *http.ResponseController
	controls controlsState // as last sent
	err      error
}

// controlsState is the state that the buttons of the page depend on. The buttons are sent only
// when it changes, since a click on a button that is being replaced is lost.
type controlsState struct {
	state    digest.State
	decision bool
}

// openStream begins an event stream.
func (h *Handler) openStream(w http.ResponseWriter) *eventStream {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx passes each event on at once
	w.WriteHeader(http.StatusOK)
	return &eventStream{handler: h, w: w, control: http.NewResponseController(w)}
}

func (s *eventStream) show(p progress) {
	s.sendPart("progress", p)
	if now := (controlsState{p.Edition.State, p.AwaitsDecision()}); now != s.controls {
		s.sendPart("controls", p)
		s.controls = now
	}
}

// sendPart sends the HTML of a part of the page as an event of its name.
func (s *eventStream) sendPart(name string, data any) {
	pages, err := s.handler.words(s.w).pages()
	var body []byte
	if err == nil {
		body, err = pages.Part(name, data)
	}
	if err != nil {
		s.handler.log.Error("progress not shown", "error", err)
		s.err = err
		return
	}
	s.send(name, body)
}

// send writes an event with a data field for each line. Without data it writes an empty data
// field, since browsers drop events without one.
func (s *eventStream) send(event string, data []byte) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: %s\n", event)
	for line := range bytes.SplitSeq(bytes.TrimSpace(data), []byte("\n")) {
		out.WriteString("data: ")
		out.Write(bytes.TrimSuffix(line, []byte("\r")))
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	s.write(out.Bytes())
}

// write writes with a deadline of ten seconds for each event, since the server's own deadline
// would end the stream.
func (s *eventStream) write(p []byte) {
	if s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(10 * time.Second)) // not supported only in tests without a connection
	if _, s.err = s.w.Write(p); s.err == nil {
		s.err = s.control.Flush()
	}
}
