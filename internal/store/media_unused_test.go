package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// pruneMedia runs the maintenance that removes media unused for 90 days.
func pruneMedia(t *testing.T, s *store.Store, texts ...string) store.Removed {
	t.Helper()
	removed, err := s.Prune(t.Context(), store.Retention{Media: s.Now().Add(-90 * day), MediaNamedIn: texts})
	if err != nil {
		t.Fatal(err)
	}
	return removed
}

func hasMedium(t *testing.T, s *store.Store, m article.Medium) bool {
	t.Helper()
	_, err := s.Medium(t.Context(), m.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func path(m article.Medium) string { return "/media/" + m.Name }

// storeDocuments stores a medium for each kind of document, and the document that names it.
func storeDocuments(t *testing.T, s *store.Store) (used map[string]article.Medium, text string) {
	t.Helper()
	used = map[string]article.Medium{}
	for i, kind := range []string{"article", "lead image", "portrait", "enclosure", "removed article", "revision", "setting", "former setting", "draft", "sent edition", "configuration", "escaped"} {
		used[kind] = medium(byte(10+i), 100)
		if err := s.PutMedia(t.Context(), []article.Medium{used[kind]}); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, newArticle("body", func(a *article.Article) { a.HTML = `<p><img src="` + path(used["article"]) + `" alt=""></p>` }))
	put(t, s, newArticle("fields", func(a *article.Article) {
		a.Image = &article.Image{URL: path(used["lead image"])}
		a.Authors[0].Portrait = path(used["portrait"])
		a.Enclosure = []article.Enclosure{{URL: path(used["enclosure"]), Type: "audio/mpeg", Bytes: 100}}
	}))
	removed := put(t, s, newArticle("removed", func(a *article.Article) { a.HTML = path(used["removed article"]) }))
	revision := store.NewRevision{Article: "written", Kind: store.RevisionSaved, Author: "ada", Written: article.Written{Text: "![](" + path(used["revision"]) + ")"}}
	_, _, err := s.SaveRevision(t.Context(), revision)
	err = errors.Join(err, s.RemoveArticle(t.Context(), removed.ID))
	for i, kind := range []string{"former setting", "setting"} {
		_, failed := s.ChangeSettings(t.Context(), int64(i), "ada", []store.Setting{{Key: "brand.logo", Value: `"` + path(used[kind]) + `"`}})
		err = errors.Join(err, failed)
	}
	edits := digest.Edits{Intro: map[string]string{"en": "https://example.org/a%2fmedia%2f" + used["escaped"].Name + " " + path(used["draft"])}}
	_, failed := s.CreateDraft(t.Context(), store.Edition{Edition: digest.Edition{ID: "draft", Digest: "other", ScheduledFor: "manual:draft", Created: s.Now()}, Edits: edits}, nil)
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	approvedOf(t, s, "weekly", "sent", `<img src="https://example.org`+path(used["sent edition"])+`">`)
	return used, "logo: " + path(used["configuration"])
}

func TestMediaThatNoDocumentNamesAreRemoved(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		importAll(t, s, 2)
		used, text := storeDocuments(t, s)
		unused, copied := medium(1, 5000), medium(2, 100)
		if err := errors.Join(s.PutMedia(t.Context(), []article.Medium{unused}), s.PutCopies(t.Context(), unused, false, []article.Medium{copied})); err != nil {
			t.Fatal(err)
		}
		if removed := pruneMedia(t, s, text); removed.Media != 0 {
			t.Errorf("the first search removed %d media", removed.Media)
		}
		forward(89 * day)
		if removed := pruneMedia(t, s, text); removed.Media != 0 || !hasMedium(t, s, unused) {
			t.Errorf("after 89 days %d media were removed", removed.Media)
		}
		forward(2 * day)
		if removed := pruneMedia(t, s, text); removed.Media != 0 {
			t.Errorf("two days after a search there was another, which removed %d media", removed.Media)
		}
		forward(5 * day)
		if removed := pruneMedia(t, s, text); removed.Media != 2 || hasMedium(t, s, unused) || hasMedium(t, s, copied) {
			t.Errorf("after 96 days %d media were removed, want an image and its copy", removed.Media)
		}
		forward(1000 * day)
		pruneMedia(t, s, text)
		for kind, m := range used {
			if !hasMedium(t, s, m) {
				t.Errorf("%s: its medium was removed", kind)
			}
		}
		forward(7 * day)
		pruneMedia(t, s) // the configuration no longer names its medium
		forward(91 * day)
		if removed := pruneMedia(t, s); removed.Media != 1 || hasMedium(t, s, used["configuration"]) {
			t.Errorf("%d media were removed after the configuration changed", removed.Media)
		}
	})
}

// TestMediumThatIsNamedAgainStays stores documents after the last search, as another node can do while
// this one is about to remove.
func TestMediumThatIsNamedAgainStays(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(t *testing.T, s *store.Store, original, copied article.Medium){
		"uploaded again": func(t *testing.T, s *store.Store, original, _ article.Medium) {
			if err := s.PutMedia(t.Context(), []article.Medium{original}); err != nil {
				t.Fatal(err)
			}
		},
		"copy in an article": func(t *testing.T, s *store.Store, _, copied article.Medium) {
			put(t, s, newArticle("later", func(a *article.Article) { a.HTML = path(copied) }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
				original, copied := medium(1, 500), medium(2, 100)
				if err := errors.Join(s.PutMedia(t.Context(), []article.Medium{original}), s.PutCopies(t.Context(), original, false, []article.Medium{copied})); err != nil {
					t.Fatal(err)
				}
				pruneMedia(t, s)
				forward(91 * day)
				removed, err := s.RemoveUnusedMedia(t.Context(), s.Now().Add(-90*day), func() { again(t, s, original, copied) })
				if err != nil || removed != 0 || !hasMedium(t, s, original) || !hasMedium(t, s, copied) {
					t.Errorf("%d media were removed, although they are in use again; %v", removed, err)
				}
				if pruneMedia(t, s); name == "uploaded again" && hasMedium(t, s, original) { // no document names it yet
					forward(89 * day)
					pruneMedia(t, s)
				}
				if !hasMedium(t, s, original) || !hasMedium(t, s, copied) {
					t.Error("the time since when it is not named did not begin again")
				}
			})
		})
	}
}

// TestMediaOfMailsStayWhenTheirTextIsRemoved removes the variants of an old edition.
func TestMediaOfMailsStayWhenTheirTextIsRemoved(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		importAll(t, s, 2)
		m := medium(1, 100)
		if err := s.PutMedia(t.Context(), []article.Medium{m}); err != nil {
			t.Fatal(err)
		}
		e := approvedOf(t, s, "weekly", "first", "a text that is longer than that of the other variant, and longer than the name of a medium, so that the page of the edition shows this one")
		for _, statement := range []string{
			`INSERT INTO variants (edition, number, data) SELECT edition, 7, '"` + path(m) + `"' FROM variants`,
			"UPDATE editions SET state = 'sent', finished = 1000",
		} {
			if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := s.Prune(t.Context(), store.Retention{Deliveries: s.Now()})
		if err != nil || removed.Variants != 1 {
			t.Fatalf("removed %+v of edition %s, %v", removed, e.ID, err)
		}
		for range 3 {
			if pruneMedia(t, s); !hasMedium(t, s, m) {
				t.Fatal("a medium was removed that a sent mail shows")
			}
			forward(91 * day)
		}
	})
}

func TestFormerRevisionsAreRemoved(t *testing.T) {
	t.Parallel()
	eachWithForward(t, func(t *testing.T, s *store.Store, forward func(time.Duration)) {
		kinds := []store.RevisionKind{store.RevisionSaved, store.RevisionPublished, store.RevisionSaved, store.RevisionSaved}
		for i, kind := range kinds {
			n := store.NewRevision{Article: "a", Base: int64(i), Kind: kind, Author: "ada", Written: article.Written{Text: "text"}}
			if kind == store.RevisionPublished {
				n.As = newArticle("a", func(a *article.Article) { a.ID = "a" })
			}
			if _, _, err := s.SaveRevision(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			forward(day)
		}
		if removed, err := s.Prune(t.Context(), store.Retention{Revisions: s.Now().Add(-100 * day)}); err != nil || removed.Revisions != 0 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		if removed, err := s.Prune(t.Context(), store.Retention{Revisions: s.Now()}); err != nil || removed.Revisions != 2 {
			t.Errorf("removed %+v, %v", removed, err)
		}
		left, err := s.ArticleRevisions(t.Context(), "a", 0, 10)
		if err != nil || len(left) != 2 || left[0].Number != 4 || left[1].Number != 2 {
			t.Errorf("left %+v, %v; want the newest and the published one", left, err)
		}
	})
}
