package store_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestTagKeepsTheSpellingOfItsFirstArticle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		tagged := func(slug, tag string) {
			t.Helper()
			put(t, s, newArticle(slug, func(a *article.Article) {
				a.Tags, a.Authors, a.Hash = []string{tag}, []article.Author{{Name: tag}}, slug+tag
			}))
		}
		want := func(spelling string) {
			t.Helper()
			tag, err1 := s.TagSpelling(t.Context(), "mARKUP")
			author, err2 := s.AuthorSpelling(t.Context(), "mARKUP")
			all, err3 := s.Tags(t.Context())
			if err1 != nil || err2 != nil || err3 != nil || tag != spelling || author != spelling || len(all) != 1 || all[0].Name != spelling {
				t.Errorf("tag %q, author %q, list %v, want %q; %v, %v, %v", tag, author, all, spelling, err1, err2, err3)
			}
		}
		tagged("a", "markup")
		want("markup")
		tagged("b", "Markup")
		tagged("c", "MARKUP")
		want("markup")
		tagged("a", "MarkUp") // other articles have the tag
		want("markup")
		tagged("b", "markUP")
		for _, slug := range []string{"b", "c"} {
			tagged(slug, "other")
		}
		tagged("a", "other")
		tagged("a", "MarkUp") // no other article has the tag: its only one may correct it
		if tag, err := s.TagSpelling(t.Context(), "markup"); err != nil || tag != "MarkUp" {
			t.Errorf("after the correction: %q, %v", tag, err)
		}
	})
}
