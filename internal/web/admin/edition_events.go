package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// Streams end after a while, so that one whose reader vanished does not stay; the
// browser opens the next by itself. Between changes a comment keeps proxies awake.
const (
	streamFor = 10 * time.Minute
	awake     = 15 * time.Second
)

// events streams an edition's progress as server-sent events (HTML Standard, section
// 9.2): "progress" with the part of the page that shows it, "levers" with the buttons
// when the state changed, "over" at the end.
func (h *Handler) editionEvents(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	id := r.PathValue("id")
	if _, err := h.store.Edition(r.Context(), id); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx passes each event on at once
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	s := &stream{handler: h, w: w, control: http.NewResponseController(w)}
	changes := h.engine.Watch(r.Context(), id)
	ticker := time.NewTicker(awake)
	defer ticker.Stop()
	end := time.NewTimer(streamFor)
	defer end.Stop()
	for s.err == nil {
		select {
		case p, ok := <-changes:
			if !ok {
				s.send("over", []byte("over"))
				return nil
			}
			s.show(progress{p, h.title(p.Edition.Digest)})
		case <-ticker.C:
			s.write([]byte(":\n\n"))
		case <-end.C:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
	return nil // the editor went away
}

// stream is one open page.
type stream struct {
	handler *Handler
	w       http.ResponseWriter
	control *http.ResponseController
	levers  levers // as last shown
	err     error
}

// levers are what the buttons of the page depend on. They are sent when it changes
// and not with every count: a button that is replaced under the pointer is not pressed.
type levers struct {
	state digest.State
	doubt bool
}

func (s *stream) show(p progress) {
	s.part("progress", p)
	if now := (levers{p.Edition.State, p.Doubtful()}); now != s.levers {
		s.part("levers", p)
		s.levers = now
	}
}

func (s *stream) part(name string, p progress) {
	body, err := s.handler.pages.Part(name, p)
	if err != nil {
		s.handler.log.Error("progress not shown", "error", err)
		s.err = err
		return
	}
	s.send(name, body)
}

// send writes an event. Each line of its data has its own field.
func (s *stream) send(event string, data []byte) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: %s\n", event)
	for line := range bytes.SplitSeq(bytes.TrimSpace(data), []byte("\n")) { // one empty line if there is nothing: else browsers drop the event
		out.WriteString("data: ")
		out.Write(bytes.TrimSuffix(line, []byte("\r")))
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	s.write(out.Bytes())
}

// write gives a slow reader ten seconds for each event; the server's own limit would
// end the stream.
func (s *stream) write(p []byte) {
	if s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(10 * time.Second)) // not supported only in tests without a connection
	if _, s.err = s.w.Write(p); s.err == nil {
		s.err = s.control.Flush()
	}
}
