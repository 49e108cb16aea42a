package writing_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const ada, grace = "ada@gazette.example", "grace@gazette.example"

func articlesOf(s *store.Store) *writing.Articles {
	return writing.New(s, &config.Config{Site: config.Site{URL: "https://gazette.example"}})
}

// save saves a draft and returns its revision.
func save(t *testing.T, w *writing.Articles, c writing.Change) store.ArticleRevision {
	t.Helper()
	saved, err := w.Save(t.Context(), c, false)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func publish(t *testing.T, w *writing.Articles, c writing.Change) store.ArticleRevision {
	t.Helper()
	saved, err := w.Publish(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func open(t *testing.T, w *writing.Articles, id string) writing.Document {
	t.Helper()
	d, err := w.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// listed returns the titles that readers see.
func listed(t *testing.T, s *store.Store) string {
	t.Helper()
	found, err := s.Articles(t.Context(), store.Query{AsOf: s.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, a := range found {
		titles = append(titles, a.Title)
	}
	return strings.Join(titles, ", ")
}

func TestDraftIsInvisibleUntilPublished(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := articlesOf(s)
		draft := save(t, w, writing.Change{Author: ada, Written: article.Written{Title: "The harbour reopens", Text: "It was *closed*.<script>alert(1)</script>", Tags: []string{"Harbour"}}})
		if got := listed(t, s); got != "" {
			t.Fatalf("readers see %s", got)
		}
		written := draft.Written
		written.Text += "\n\nNow it is open."
		publish(t, w, writing.Change{ID: draft.Article, Base: draft.Number, Author: ada, Written: written})
		d := open(t, w, draft.Article)
		if got := listed(t, s); got != "The harbour reopens" || d.Article.Status != article.Published || d.Pending() {
			t.Errorf("readers see %q, %+v", got, d.Article)
		}
		if a := d.Article; a.HTML != "<p>It was <em>closed</em>.</p>\n<p>Now it is open.</p>" || a.Slug != "the-harbour-reopens" || a.Summary == "" || a.Source != "browser:"+a.ID {
			t.Errorf("published %+v", a)
		}
	})
}

func TestSavingAPublishedArticleChangesNothingForReaders(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := articlesOf(s)
		first := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "High at nine."}})
		changed := first.Written
		changed.Title, changed.Text, changed.Published = "High tides", "High at ten.", changed.Published.Truncate(time.Minute) // as the form has it
		second := save(t, w, writing.Change{ID: first.Article, Base: first.Number, Author: ada, Written: changed})
		d := open(t, w, first.Article)
		if d.Article.Title != "Tides" || !d.Pending() || d.Head.Written.Text != "High at ten." {
			t.Errorf("readers see %q; head %+v", d.Article.Title, d.Head)
		}
		publish(t, w, writing.Change{ID: first.Article, Base: second.Number, Author: ada, Written: changed})
		after := open(t, w, first.Article)
		if after.Article.Title != "High tides" || after.Article.ID != d.Article.ID || !after.Article.Published.Equal(d.Article.Published) || !after.Article.Updated.After(d.Article.Published) {
			t.Errorf("after publication: %+v", after.Article)
		}
	})
}

func TestRevisionsOfTwoEditorsConflict(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := articlesOf(s)
		first := save(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "One"}})
		const editors = 4
		var saved, refused atomic.Int64
		var work sync.WaitGroup
		for i := range editors {
			work.Go(func() {
				_, err := w.Save(t.Context(), writing.Change{ID: first.Article, Base: first.Number, Author: fmt.Sprint(i), Written: article.Written{Title: "Tides", Text: fmt.Sprint(i)}}, false)
				var conflict *store.RevisionConflictError
				switch {
				case err == nil:
					saved.Add(1)
				case errors.As(err, &conflict) && conflict.Head.Number == first.Number+1 && conflict.Head.Written.Text != "":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		work.Wait()
		if saved.Load() != 1 || refused.Load() != editors-1 {
			t.Errorf("%d saved, %d refused", saved.Load(), refused.Load())
		}
	})
}

func TestAutomaticSavesOfOneEditorBecomeOneRevision(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			var minutes atomic.Int64
			start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
			s := storetest.Open(t, engine, store.Options{Clock: func() time.Time { return start.Add(time.Duration(minutes.Load()) * time.Minute) }})
			w := articlesOf(s)
			r := save(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides"}})
			for i := range 20 { // one a minute
				minutes.Add(1)
				author := ada
				if i == 19 {
					author = grace
				}
				var err error
				if r, err = w.Save(t.Context(), writing.Change{ID: r.Article, Base: r.Number, Author: author, Written: article.Written{Title: "Tides", Text: fmt.Sprint(i)}}, true); err != nil {
					t.Fatal(err)
				}
			}
			all, err := s.ArticleRevisions(t.Context(), r.Article, 0, 50)
			if err != nil {
				t.Fatal(err)
			}
			var numbers []int64
			for _, one := range all {
				numbers = append(numbers, one.Number)
			}
			// The first save, two runs of ten minutes, and the save of the other editor.
			if fmt.Sprint(numbers) != "[21 20 11 1]" {
				t.Errorf("revisions %v", numbers)
			}
		})
	}
}

func TestScheduledArticleAppearsAtItsTime(t *testing.T) {
	t.Parallel()
	var hours atomic.Int64
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := storetest.Open(t, store.SQLite, store.Options{Clock: func() time.Time { return start.Add(time.Duration(hours.Load()) * time.Hour) }})
	w := articlesOf(s)
	r := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Later", Text: "x", Published: start.Add(2 * time.Hour), Expires: start.Add(4 * time.Hour)}})
	status := func() article.Status {
		d := open(t, w, r.Article)
		return d.Article.StatusAt(s.Now())
	}
	if got := listed(t, s); got != "" || status() != article.Scheduled {
		t.Errorf("before its time: %q, %s", got, status())
	}
	hours.Store(3)
	if got := listed(t, s); got != "Later" || status() != article.Published {
		t.Errorf("after its time: %q, %s", got, status())
	}
	hours.Store(5)
	if _, err := s.WithdrawExpired(t.Context()); err != nil || listed(t, s) != "" {
		t.Errorf("after its expiry: %q, %v", listed(t, s), err)
	}
}

func TestUnpublishedArticleIsADraftWithItsIdentity(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	r := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "x"}})
	off, err := w.Unpublish(t.Context(), r.Article, r.Number, ada)
	if err != nil || listed(t, s) != "" {
		t.Fatalf("readers see %q, %v", listed(t, s), err)
	}
	publish(t, w, writing.Change{ID: r.Article, Base: off.Number, Author: ada, Written: off.Written})
	if d := open(t, w, r.Article); listed(t, s) != "Tides" || d.Article.Slug != "tides" {
		t.Errorf("published again: %+v", d.Article)
	}
}

func TestRemovedArticleIsPublishedAgain(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	r := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "x"}})
	if err := s.RemoveArticle(t.Context(), r.Article); err != nil || listed(t, s) != "" {
		t.Fatal(err)
	}
	publish(t, w, writing.Change{ID: r.Article, Base: r.Number, Author: ada, Written: r.Written})
	if got := listed(t, s); got != "Tides" {
		t.Errorf("readers see %q", got)
	}
}

func TestFormerAddressRedirectsOnlyAfterPublication(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := articlesOf(s)
		r := save(t, w, writing.Change{Author: ada, Written: article.Written{Title: "The ti", Text: "x"}})
		r = save(t, w, writing.Change{ID: r.Article, Base: r.Number, Author: ada, Written: article.Written{Title: "The tides", Text: "x"}})
		r = publish(t, w, writing.Change{ID: r.Article, Base: r.Number, Author: ada, Written: article.Written{Title: "The tides of May", Text: "x"}})
		for _, slug := range []string{"the-ti", "the-tides"} {
			if to, err := s.Redirect(t.Context(), "/articles/"+slug); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the address of a draft redirects to %q, %v", to, err)
			}
		}
		written := r.Written
		written.Title = "The tides of June"
		r = publish(t, w, writing.Change{ID: r.Article, Base: r.Number, Author: ada, Written: written})
		if got := open(t, w, r.Article).Article.Slug; got != "the-tides-of-may" {
			t.Errorf("the new title changed the address to %q", got)
		}
		written.Slug = "tides-in-may"
		publish(t, w, writing.Change{ID: r.Article, Base: r.Number, Author: ada, Written: written})
		if to, err := s.Redirect(t.Context(), "/articles/the-tides-of-may"); err != nil || to != "/articles/tides-in-may" {
			t.Errorf("the former address redirects to %q, %v", to, err)
		}
	})
}

func TestIncompleteArticleIsStoredButNotPublished(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	past := s.Now().Add(-time.Hour)
	for name, written := range map[string]article.Written{
		"empty": {}, "too long": {Title: "x", Text: strings.Repeat("*", 200_001)}, "expired": {Title: "x", Text: "x", Expires: past},
	} {
		saved, err := w.Publish(t.Context(), writing.Change{Author: ada, Written: written})
		var problem *writing.ContentError
		if !errors.As(err, &problem) || listed(t, s) != "" {
			t.Errorf("%s: %v, readers see %q", name, err, listed(t, s))
			continue
		}
		if d := open(t, w, saved.Article); d.Head.Written.Text != written.Text || d.Article.Status != article.Draft || d.Live != 0 {
			t.Errorf("%s: stored %+v", name, d.Head)
		}
	}
}

func TestFolderImportLeavesWrittenArticlesAlone(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	r := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Slug: "tides", Text: "High at nine.", Published: at}})
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "tides.md"), []byte("---\ntitle: Tides\nslug: tides\ndate: 2026-05-01\n---\nHigh at nine.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	importer := ingest.Importer{Store: s, Config: &config.Config{}}
	if sum, err := importer.Import(t.Context(), folder); err != nil || sum.Created != 1 {
		t.Fatalf("imported %+v, %v", sum, err)
	}
	d := open(t, w, r.Article)
	if d.Article.Source != writing.SourcePrefix+r.Article || d.Article.Slug != "tides" || listed(t, s) != "Tides, Tides" {
		t.Errorf("after the import: %+v; readers see %s", d.Article, listed(t, s))
	}
}

func TestUploadedImageLosesMetadataAndIsShownWithItsSize(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	m, _, err := w.Upload(t.Context(), "harbour.exe", picture.Bytes())
	if err != nil || m.Type != "image/png" || !strings.HasSuffix(m.Name, ".png") {
		t.Fatalf("stored %s %s, %v", m.Name, m.Type, err)
	}
	path := "/media/" + m.Name
	r := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Harbour", Image: path, ImageAlt: "The quay", Text: "![Boats](" + path + ")"}})
	a := open(t, w, r.Article).Article
	if a.Image == nil || a.Image.URL != path || a.Image.Width != 30 || a.Image.Alt != "The quay" || !strings.Contains(a.HTML, `src="`+path+`"`) {
		t.Errorf("the article has the image %+v and the text %s", a.Image, a.HTML)
	}
	for name, data := range map[string][]byte{"text": []byte("<html>"), "empty": nil, "large": append(picture.Bytes(), make([]byte, ingest.MaxMedium)...)} {
		if _, _, err := w.Upload(t.Context(), name, data); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
}

func TestTranslationsKnowEachOther(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	en := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "x", Language: "en"}})
	fr := publish(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Marées", Text: "x", Language: "fr", TranslationOf: en.Article}})
	a := open(t, w, fr.Article).Article
	if err := s.AddTranslations(t.Context(), []*article.Article{&a}); err != nil || len(a.Translations) != 1 || a.Translations[0].Language != "en" {
		t.Errorf("translations %+v, %v", a.Translations, err)
	}
}

func TestRestoredRevisionBecomesTheNewest(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	w := articlesOf(s)
	first := save(t, w, writing.Change{Author: ada, Written: article.Written{Title: "Tides", Text: "One\n\nTwo"}})
	second := save(t, w, writing.Change{ID: first.Article, Base: first.Number, Author: grace, Written: article.Written{Title: "Tides", Text: "One\n\n2", Tags: []string{"sea"}}})
	differences := writing.Differences(first.Written, second.Written, time.UTC)
	if len(differences) != 2 || differences[0].Field != "text" || differences[1].Field != "tags" {
		t.Errorf("differences %+v", differences)
	}
	if _, err := w.RestoreRevision(t.Context(), first.Article, first.Number, first.Number, ada); err == nil {
		t.Error("restored over a newer revision")
	}
	if _, err := w.RestoreRevision(t.Context(), first.Article, first.Number, second.Number, ada); err != nil {
		t.Fatal(err)
	}
	d := open(t, w, first.Article)
	if d.Head.Number != 3 || d.Head.Kind != store.RevisionRestored || writing.Differences(first.Written, d.Head.Written, time.UTC) != nil {
		t.Errorf("head %+v", d.Head)
	}
	if _, err := w.Open(t.Context(), "no-such-article"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
