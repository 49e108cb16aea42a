package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestOnlyTheButtonCountsAnAnswer(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handlerWith(t, store.SQLite, func(c *config.Config) { c.Digests[0].Feedback = true })
	for _, name := range []string{"ada", "bo", "cy"} {
		s.subscriber(t, name+"@example.org")
	}
	edition := sentEdition(t, s, engine)
	path := digest.FeedbackPath(edition.ID, "")
	want := func(helpful, unhelpful int64) {
		t.Helper()
		if votes, err := s.store.Votes(t.Context(), edition.Seq); err != nil || votes != (store.Votes{Helpful: helpful, Unhelpful: unhelpful}) {
			t.Errorf("%+v, %v; want %d helpful and %d not", votes, err, helpful, unhelpful)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, answer := range []string{"yes", "no"} {
			w := ask(h, method, path+answer)
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("X-Robots-Tag"), "noindex") {
				t.Errorf("%s %s: %d, %v", method, answer, w.Code, w.Header())
			}
			if button := `<form method="post" action="` + path + answer + `"`; method == http.MethodGet && !strings.Contains(w.Body.String(), button) {
				t.Errorf("the page of %s has no button:\n%s", answer, w.Body)
			}
		}
	}
	want(0, 0)
	for _, answer := range []string{"yes", "no"} {
		if w := ask(h, http.MethodPost, path+answer); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Thank you") || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: %d\n%s", answer, w.Code, w.Body)
		}
	}
	want(1, 1)
	foreign := httptest.NewRequest(http.MethodPost, path+"no", nil)
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, foreign); w.Code != http.StatusForbidden {
		t.Errorf("another site's form: %d", w.Code)
	}
	for _, answer := range []string{"maybe", "", "YES"} {
		if w := ask(h, http.MethodPost, path+answer); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
			t.Errorf("the answer %q: %d", answer, w.Code)
		}
	}
	want(1, 1)
	limited := 0
	for range 20 {
		if w := ask(h, http.MethodPost, path+"yes"); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			limited++
		}
	}
	if limited == 0 {
		t.Error("one network can answer without a limit")
	}
	want(2, 1) // as many as there are recipients
	if p, err := engine.Progress(t.Context(), edition.ID); err != nil || p.Votes.Total() != 3 {
		t.Errorf("progress has %+v, %v", p.Votes, err)
	}
}

func TestAnswersAreTakenOnlyForSentEditionsThatAsk(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	s.subscriber(t, "ada@example.org")
	path := digest.FeedbackPath(sentEdition(t, s, engine).ID, "yes")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if w := ask(h, method, path); w.Code != http.StatusNotFound {
			t.Errorf("%s for a digest that does not ask: %d", method, w.Code)
		}
		s.service.Config.Digests[0].Feedback = true
		if w := ask(h, method, "/editions/unknown/feedback/yes"); w.Code != http.StatusNotFound {
			t.Errorf("%s for an unknown edition: %d", method, w.Code)
		}
		s.service.Config.Digests[0].Feedback = false
	}
}
