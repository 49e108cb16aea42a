package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

func TestRemovedArticleIsRestored(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	a := s.put("An article to remove")
	e := s.owner()
	e.want(e.get("/admin/articles"), a.Title)
	e.want(e.get("/admin/articles?match=NOT+("), "class=\"problem\"")
	e.want(e.get("/admin/articles?match=tag:no-such-tag"), "No articles found")
	e.want(e.post("/admin/articles/"+a.ID+"/remove"), "The article was removed", "Undo", "/admin/articles/"+a.ID+"/restore")
	s.wantStatus(a.ID, article.Removed)
	e.want(e.post("/admin/articles/"+a.ID+"/restore"), "The article was restored")
	s.wantStatus(a.ID, article.Published)
}

func TestRemovedDraftIsRestoredAsDraft(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	a := s.put("A draft to remove", func(a *article.Article) { a.Status = article.Draft })
	e := s.owner()
	e.post("/admin/articles/" + a.ID + "/remove")
	s.wantStatus(a.ID, article.Withdrawn)
	e.want(e.get("/admin/articles"), a.Title, `class="state removed"`, "Restore")
	e.post("/admin/articles/" + a.ID + "/restore")
	s.wantStatus(a.ID, article.Draft)
}

func (s *site) wantStatus(id string, want article.Status) {
	s.t.Helper()
	a, err := s.Store.Article(s.t.Context(), id)
	if err != nil || a.Status != want {
		s.t.Errorf("the article is %s, %v", a.Status, err)
	}
}

func TestSearchFindsWordsOfTitleAndText(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.put("The lighthouse keeper", func(a *article.Article) {
		a.HTML, a.Tags = "<p>He once saw a zeppelin.</p>", []string{"coast"}
	})
	e := s.owner()
	for query, found := range map[string]bool{
		"q=zeppelin": true, "q=LIGHTHOUSE+keeper": true, "q=zeppelin&match=coast": true, "q=zeppelin&match=NOT+coast": false, "q=keeper+submarine": false, "match=coast": true,
	} {
		if page := e.get("/admin/articles?" + query); strings.Contains(page, "The lighthouse keeper") != found || strings.Contains(page, "The ferry that waited") {
			t.Errorf("%s: found %v, want %v", query, !found, found)
		}
	}
	e.want(e.get("/admin/articles?q=ferry"), "The ferry that waited", `value="ferry"`)
	e.want(e.get("/admin/articles?q="+strings.Repeat("word+", 21)), "too many words")
}

func TestDatesAreInTheSitesTimezone(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]string{"Asia/Tokyo": "2 May 2026", "America/Lima": "1 May 2026"} {
		s := startSite(t, timezone(zone))
		s.put("Late in the evening", func(a *article.Article) { a.Published = time.Date(2026, 5, 1, 23, 30, 0, 0, time.UTC) })
		e := s.owner()
		e.want(e.get("/admin/articles?q=late+evening"), `<time datetime="2026-05-01T23:30:00Z">`+want+`</time>`)
	}
}

func TestArticlesAreFilteredByStateTagAuthorLanguageAndSource(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.put("A coming article", func(a *article.Article) {
		a.Published = time.Now().Add(48 * time.Hour).UTC()
		a.Tags, a.Authors, a.Language = []string{"Zeppelin"}, []article.Author{{Name: "Vera Molnár"}}, "hu"
		a.Origin = &article.Origin{Title: "The Daily Planet"}
	})
	s.put("An unfinished article", func(a *article.Article) { a.Status = article.Draft })
	s.put("An old notice", func(a *article.Article) { a.Expires = time.Now().Add(-time.Hour) })
	s.put("A written article", func(a *article.Article) { a.Source = article.BrowserSource + "1" })
	e := s.owner()
	for query, want := range map[string]string{
		"state=scheduled": "A coming article", "state=draft": "An unfinished article", "state=removed": "An old notice",
		"tag=zeppelin": "A coming article", "author=vera+moln%C3%A1r": "A coming article", "language=hu": "A coming article",
		"source=The+Daily+Planet": "A coming article", "source=browser": "A written article",
		"q=coming&state=scheduled&tag=zeppelin&author=vera+moln%C3%A1r&language=hu&source=The+Daily+Planet&match=NOT+coast": "A coming article",
		"q=coming&state=scheduled&tag=Zeppelin&language=hu":                                                                 "A coming article",
	} {
		page := e.get("/admin/articles?" + query)
		if n := strings.Count(page, `<td><a href="/admin/articles/`); n != 1 || !strings.Contains(page, want) {
			t.Errorf("%s finds %d articles, want only %q", query, n, want)
		}
	}
	e.want(e.get("/admin/articles?state=removed"), `class="state expired"`)
	e.want(e.get("/admin/articles?state=published&tag=zeppelin"), "No articles found")
	e.want(e.get("/admin/articles?source=The+Daily+Planet"), `<option value="The Daily Planet" selected`, `<option value="browser" dir="auto">Written here`)
}
