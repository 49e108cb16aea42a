package feedserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/feedserver"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// hangingSource is a source whose calls block until their context ends while a flag is set.
type hangingSource struct {
	*feedrules.Source
	changed, selects, spelling atomic.Bool
	checks                     atomic.Int64
}

func hang(ctx context.Context, when *atomic.Bool) error {
	if !when.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *hangingSource) Changed(ctx context.Context, since feedserver.Checkpoint, now time.Time) (feedserver.Change, error) {
	h.checks.Add(1)
	if err := hang(ctx, &h.changed); err != nil {
		return feedserver.Change{}, err
	}
	return h.Source.Changed(ctx, since, now)
}

func (h *hangingSource) Select(ctx context.Context, q feedserver.Query) (feedserver.Found, error) {
	if err := hang(ctx, &h.selects); err != nil {
		return feedserver.Found{}, err
	}
	return h.Source.Select(ctx, q)
}

func (h *hangingSource) Spelling(ctx context.Context, kind feed.Kind, name string) (string, error) {
	if err := hang(ctx, &h.spelling); err != nil {
		return "", err
	}
	return h.Source.Spelling(ctx, kind, name)
}

// withFakeClock runs a test of a server and a hangingSource in a synctest bubble, whose clock
// advances when all goroutines wait.
func withFakeClock(t *testing.T, test func(t *testing.T, b *env, h *hangingSource)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h *hangingSource
		b := setup(t, func(o *feedserver.Options) {
			h = &hangingSource{Source: o.Source.(*feedrules.Source)}
			o.Source, o.Now = h, func() time.Time { return feedrules.Noon.Add(time.Since(bubbleBegan)) }
			o.Limits = feedserver.Limits{} // those of production, which the fake clock keeps
		})
		test(t, b, h)
		time.Sleep(time.Minute) // calls that still hang time out
	})
}

// bubbleBegan is the initial time of a synctest bubble.
var bubbleBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// getConcurrently sends 50 requests for a path at once and returns how long the slowest took.
func (b *env) getConcurrently(t *testing.T, path string, check func(w *httptest.ResponseRecorder)) time.Duration {
	t.Helper()
	began := time.Now()
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			check(w)
		})
	}
	wait.Wait()
	return time.Since(began)
}

func TestHangingStoreDelaysRequestsOnce(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		old := read(t, b.get(t, "/feed.xml"))
		h.changed.Store(true)
		before := h.checks.Load()
		b.server.Changed()
		same := func(w *httptest.ResponseRecorder) {
			if w.Code != http.StatusOK || w.Body.String() != old {
				t.Errorf("%d, want the old document", w.Code)
			}
		}
		if took := b.getConcurrently(t, "/feed.xml", same); took > 2*time.Second {
			t.Errorf("50 clients waited %v, want no longer than for one check", took)
		}
		if took := b.getConcurrently(t, "/feed.xml", same); took > 0 {
			t.Errorf("clients waited %v right after a failed check", took)
		}
		if n := h.checks.Load() - before; n != 1 {
			t.Errorf("the store was queried %d times, want 1", n)
		}
		h.changed.Store(false)
		b.source.Put(feedrules.Article(9))
		time.Sleep(time.Second)
		if !strings.Contains(read(t, b.get(t, "/feed.xml")), feedrules.ID(9)) {
			t.Error("the store answers again, but an earlier change is not in the feed")
		}
	})
}

func TestOldDocumentIsServedDuringSlowRendering(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		time.Sleep(time.Hour)
		first := b.get(t, "/feed.xml")
		old := read(t, first)
		edited := feedrules.Article(4)
		edited.Title = "Edited"
		b.source.Put(edited)
		b.server.Changed()
		h.selects.Store(true)
		took := b.getConcurrently(t, "/feed.xml", func(w *httptest.ResponseRecorder) {
			if w.Code != http.StatusOK || w.Body.String() != old {
				t.Errorf("%d, want the old document", w.Code)
			}
		})
		if took > 2*time.Second {
			t.Errorf("clients waited %v for a rendering that hangs", took)
		}
		late := b.get(t, "/feed.xml")
		h.selects.Store(false)
		time.Sleep(time.Minute)
		r := b.get(t, "/feed.xml", "If-Modified-Since", late.Header.Get("Last-Modified"))
		if r.StatusCode != http.StatusOK || !strings.Contains(read(t, r), "Edited") {
			t.Errorf("%s since the date of an old document, want the new one", r.Status)
		}
	})
}

func TestTopicIsNeverOutdated(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		b.get(t, "/feed.xml")
		b.source.Put(feedrules.Article(9))
		b.server.Changed()
		h.selects.Store(true)
		if body, _, err := b.server.Topic(t.Context(), "/feed.xml"); err == nil {
			t.Errorf("got %d bytes without the new article, want an error", len(body))
		}
		h.selects.Store(false)
		time.Sleep(time.Minute) // the hanging rendering times out, so that the next call starts another
		if body, _, err := b.server.Topic(t.Context(), "/feed.xml"); err != nil || !strings.Contains(string(body), feedrules.ID(9)) {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
}

func TestUnknownFeedTimesOut(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		h.selects.Store(true)
		took := b.getConcurrently(t, "/feed.xml", func(w *httptest.ResponseRecorder) {
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("%d, want 503 with Retry-After", w.Code)
			}
		})
		if took > 10*time.Second {
			t.Errorf("clients waited %v", took)
		}
	})
}

func TestKnownTagIsServedWhileSpellingHangs(t *testing.T) {
	withFakeClock(t, func(t *testing.T, b *env, h *hangingSource) {
		old := read(t, b.get(t, "/tags/all/feed.xml"))
		b.source.Put(feedrules.Article(9))
		b.server.Changed()
		h.spelling.Store(true)
		took := b.getConcurrently(t, "/tags/all/feed.xml", func(w *httptest.ResponseRecorder) {
			if w.Code != http.StatusOK || w.Body.String() != old {
				t.Errorf("%d, want the old document", w.Code)
			}
		})
		if took > 2*time.Second {
			t.Errorf("clients waited %v", took)
		}
	})
}

// slowSource is a source whose Changed returns its first result only when the test allows it.
type slowSource struct {
	*feedrules.Source
	hold   atomic.Bool
	asked  chan struct{}
	answer chan struct{}
}

func (s *slowSource) Changed(ctx context.Context, since feedserver.Checkpoint, now time.Time) (feedserver.Change, error) {
	change, err := s.Source.Changed(ctx, since, now)
	if s.hold.CompareAndSwap(true, false) {
		close(s.asked)
		<-s.answer
	}
	return change, err
}

func TestChangeDuringCheckIsInNextResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &slowSource{asked: make(chan struct{}), answer: make(chan struct{})}
		b := setup(t, func(o *feedserver.Options) {
			source.Source = o.Source.(*feedrules.Source)
			o.Source = source
		})
		b.get(t, "/feed.xml")
		source.hold.Store(true)
		b.pass(time.Second)
		var polls sync.WaitGroup
		polls.Go(func() { b.get(t, "/feed.xml") }) // starts a check, since the last one is a second old
		<-source.asked
		b.source.Put(feedrules.Article(9)) // not in the result of the running check
		b.server.Changed()
		polls.Go(func() {
			if !strings.Contains(read(t, b.get(t, "/feed.xml")), feedrules.ID(9)) {
				t.Error("a change is not in the next response")
			}
		})
		synctest.Wait()
		close(source.answer)
		polls.Wait()
	})
}

func TestPanicDuringRenderingGives503(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *feedserver.Options) { o.Source = panicking{o.Source.(*feedrules.Source)} })
	if r := b.get(t, "/feed.xml"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s, want 503", r.Status)
	}
}

type panicking struct{ *feedrules.Source }

func (panicking) Select(context.Context, feedserver.Query) (feedserver.Found, error) { panic("a bug") }
