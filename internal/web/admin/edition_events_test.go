package admin_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/testkit"
)

// stream opens the event stream of an edition.
func (e *editor) stream(ctx context.Context, path string) *bufio.Reader {
	e.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.site+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := e.client.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "text/event-stream" {
		e.t.Fatalf("the stream is %d, %s", answer.StatusCode, kind)
	}
	return bufio.NewReader(answer.Body)
}

// until reads events up to one with the name last and returns their names.
func until(t *testing.T, stream *bufio.Reader, last string) []string {
	t.Helper()
	var names []string
	for {
		line, err := stream.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended with %v after %v", err, names)
		}
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok {
			if names = append(names, name); name == last {
				return names
			}
		} else if line != "\n" && !strings.HasPrefix(line, "data:") && !strings.HasPrefix(line, ":") {
			t.Fatalf("not a field of an event: %q", line)
		}
	}
}

func TestProgressIsStreamedUntilSent(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, perSecond(20))
	s.addSubscribers(40)
	e := s.owner()
	e.sendWeekly()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Timeout)
	defer cancel()
	names := until(t, e.stream(ctx, e.at+"/events"), "end")
	if len(names) < 4 || names[0] != "progress" || names[1] != "controls" {
		t.Errorf("events %v", names)
	}
	if len(s.inbox.Mails()) != 40 {
		t.Errorf("the stream ended after %d mails", len(s.inbox.Mails()))
	}
	if again := until(t, e.stream(ctx, e.at+"/events"), "end"); len(again) != 3 {
		t.Errorf("the events of a sent edition are %v", again)
	}
}

func TestOpenStreamDoesNotDelayShutdown(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t, perSecond(1))
	s.addSubscribers(400) // the edition, and so its stream, lasts longer than a slow machine takes to stop
	e := s.owner()
	e.sendWeekly()
	stream := e.stream(context.Background(), e.at+"/events")
	until(t, stream, "controls")
	start := time.Now()
	s.stop()
	if took := time.Since(start); took > time.Minute {
		t.Errorf("the service took %s to stop", took)
	}
}
