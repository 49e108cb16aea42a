package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestOldArticlesAreMarkedAsSeenAndPutBack(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	for i := range 60 { // beside the 16 samples; an edition takes 50
		s.put(fmt.Sprintf("From the archive %d", i), func(a *article.Article) {
			a.Published = time.Date(2011, 3, 1+i, 0, 0, 0, 0, time.UTC)
			a.Updated = a.Published
		})
	}
	e := s.owner()
	here := "/admin/digests/weekly"
	e.want(e.get(here), "26 articles are left after the next edition. They fill 1 later edition.", "50 articles")
	e.want(e.get("/admin/"), "26")
	e.want(e.get(here+"/send"), "Articles left for later editions: 26.", "Mark old ones as seen")
	e.want(e.post(here+"/seen"), "Nothing was marked")
	e.want(e.post(here+"/seen", "before", "yesterday"), "Invalid date")
	marked := e.post(here+"/seen", "before", "2020-01-01")
	e.want(marked, "Marked as seen", "Put 60 articles back into the queue", "16 articles")
	if strings.Contains(marked, "are left for") {
		t.Error("articles that were marked as seen are still queued")
	}
	e.want(e.post(here+"/unseen"), "back in the queue", "26 articles are left")
	e.want(e.post(here+"/begin", "since", "2020-01-01"), "The start date was changed", `value="2020-01-01"`, "16 articles")
	e.want(e.post(here+"/begin", "since", ""), "The start date was not changed")
	for _, action := range []string{"seen", "unseen", "begin"} {
		if e.get(here + "/" + action); e.code == http.StatusOK {
			t.Errorf("a GET of %s answers %d", action, e.code)
		}
	}
}
