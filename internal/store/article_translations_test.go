package store_test

import (
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestTranslationsFindEachOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := s.Now()
		put := func(slug, language, key string, status article.Status, published time.Time) string {
			t.Helper()
			a := article.Article{Source: "/in/" + slug, Slug: slug, Title: slug, Language: language, Translation: key, Status: status, Published: published}
			a.Hash = a.ContentHash()
			change, err := s.PutArticle(t.Context(), &a, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return change.ID
		}
		day := now.Add(-24 * time.Hour)
		en := put("tide", "en", "k", article.Published, day)
		put("maree", "fr", "k", article.Published, day)
		put("maree-2", "fr", "k", article.Published, day)
		put("draft", "de", "k", article.Draft, day)
		put("later", "ja", "k", article.Published, now.Add(time.Hour))
		put("other", "fr", "other", article.Published, day)
		alone := put("alone", "en", "", article.Published, day)
		put("alone-2", "fr", "", article.Published, day)

		of := func(id string) []article.Translation {
			t.Helper()
			a, err := s.Article(t.Context(), id)
			if err == nil {
				err = s.AddTranslations(t.Context(), []*article.Article{&a})
			}
			if err != nil {
				t.Fatal(err)
			}
			return a.Translations
		}
		if got := of(en); len(got) != 1 || got[0] != (article.Translation{Language: "fr", URL: "/articles/maree"}) {
			t.Errorf("translations of tide: %v", got)
		}
		if got := of(alone); len(got) != 0 {
			t.Errorf("translations of alone: %v", got)
		}
		others, err := s.OtherTranslations(t.Context(), []string{en}, 10)
		if err != nil || len(others) != 3 {
			t.Errorf("%d other articles (%v)", len(others), err)
		}

		// An article that joins the group marks the others as changed.
		before, err := s.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		put("alone", "es", "k", article.Published, day)
		changed, err := s.ChangedSince(t.Context(), before, 20)
		if err != nil || len(changed) != 6 {
			t.Errorf("%d articles changed (%v)", len(changed), err)
		}
		if got := of(en); len(got) != 2 {
			t.Errorf("translations of tide after alone joined: %v", got)
		}
	})
}
