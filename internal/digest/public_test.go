package digest

import (
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// TestPublicEditionShowsAndNamesOnlyWhatMayBeRead goes through what can happen to an article after the edition
// with it was sent. The subject may be its title, so it is removed if an article
// was withdrawn. An article that expired was public for as long as intended.
func TestPublicEditionShowsAndNamesOnlyWhatMayBeRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 29, 12, 0, 0, 0, time.UTC)
	kept := article.Article{ID: "kept", Status: article.Published, Published: now.Add(-time.Hour)}
	for name, test := range map[string]struct {
		other        article.Article
		shown, named bool
	}{
		"as it was":              {article.Article{Status: article.Published, Published: now.Add(-time.Hour)}, true, true},
		"published at this time": {article.Article{Status: article.Published, Published: now}, true, true},
		"a moment later":         {article.Article{Status: article.Published, Published: now.Add(1)}, false, false},
		"postponed":              {article.Article{Status: article.Published, Published: now.Add(time.Hour)}, false, false},
		"postponed and expired":  {article.Article{Status: article.Published, Published: now.Add(time.Hour), Expires: now.Add(-time.Hour)}, false, false},
		"expires later":          {article.Article{Status: article.Published, Published: now.Add(-time.Hour), Expires: now.Add(1)}, true, true},
		"expires at this time":   {article.Article{Status: article.Published, Published: now.Add(-time.Hour), Expires: now}, false, true},
		"a draft again":          {article.Article{Status: article.Draft, Published: now.Add(-time.Hour)}, false, false},
		"unlisted":               {article.Article{Status: article.Unlisted, Published: now.Add(-time.Hour)}, false, false},
		"removed":                {article.Article{Status: article.Removed, Published: now.Add(-time.Hour)}, false, false},
		"of an unknown status":   {article.Article{Published: now.Add(-time.Hour)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.other.ID = "other"
			found := []article.Article{test.other, kept}
			e := Edition{Digest: "weekly", Number: 7, Subject: "The other one", Articles: []string{"other", "kept"}}
			public, shown := e.Public(found, now)
			var ids []string
			for i := range shown {
				ids = append(ids, shown[i].ID)
			}
			want := []string{"kept"}
			if test.shown {
				want = []string{"other", "kept"}
			}
			if !slices.Equal(ids, want) || (public.Subject != "") != test.named {
				t.Errorf("%q with %q, want %q and a subject: %v", ids, public.Subject, want, test.named)
			}
			path := "/digests/weekly/7/"
			if test.named {
				path = "/digests/weekly/7-the-other-one/"
			}
			if got := public.PagePath(); got != path {
				t.Errorf("its page is %s, want %s", got, path)
			}
			if e.Subject != "The other one" || len(found) != 2 || found[0].ID != "other" {
				t.Error("the edition or its articles were changed")
			}
		})
	}
	e := Edition{Digest: "weekly", Number: 7, Subject: "The erased one", Articles: []string{"erased", "kept"}}
	if public, shown := e.Public([]article.Article{kept}, now); public.Subject != "" || len(shown) != 1 {
		t.Errorf("an article that is not stored any more: %q with %d articles", public.Subject, len(shown))
	}
	if public, shown := (Edition{Subject: "A message"}).Public(nil, now); public.Subject != "A message" || len(shown) != 0 {
		t.Errorf("a message without articles: %q", public.Subject)
	}
}
