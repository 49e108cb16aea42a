package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestTypicalVariantIsInTheSiteLanguageOrThatOfMostRecipients freezes variants in four languages, of which
// the Arabic one is the longest, and one of them has a region.
func TestTypicalVariantIsInTheSiteLanguageOrThatOfMostRecipients(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if _, err := s.ImportSubscribers(t.Context(), storetest.List(t, strings.NewReader("email,lang\na@example.org,fr\nb@example.org,ar\nc@example.org,fr\nd@example.org,en\n")), store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active}); err != nil {
			t.Fatal(err)
		}
		groups, err := s.PreferenceGroups(t.Context(), "weekly")
		if err != nil || len(groups) != 3 {
			t.Fatalf("groups %+v, %v", groups, err)
		}
		e, err := s.CreateDraft(t.Context(), store.Edition{Edition: digest.Edition{ID: "e1", Digest: "weekly", ScheduledFor: "manual:e1", Created: s.Now()}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: 10}
		for i, v := range []digest.Variant{{Language: "en", HTML: "English"}, {Language: "fr", HTML: "French"}, {Language: "ar", HTML: "Arabic, the longest of all"}, {Language: "en", HTML: "English, topics"}, {Language: "pt-BR", HTML: "Portuguese"}} {
			if _, err := f.Add(v); err != nil {
				t.Fatal(err)
			}
			for j, g := range groups {
				if g.Language == v.Language && i < 3 {
					f.Choice[j] = i
				}
			}
		}
		if e, err = s.Approve(t.Context(), e, f); err != nil {
			t.Fatal(err)
		}
		for language, want := range map[string]string{
			"en": "English, topics", "fr": "French", "AR": "Arabic, the longest of all", "pt": "Portuguese", "pt-br": "Portuguese",
			"pt-PT": "Portuguese", "en-GB": "English, topics",
			"de": "French", "": "French", // what most get
		} {
			if v, err := s.TypicalVariant(t.Context(), e.Seq, language); err != nil || v.HTML != want {
				t.Errorf("for a site in %q: %q, %v; want %q", language, v.HTML, err, want)
			}
		}
		if _, err := s.TypicalVariant(t.Context(), e.Seq+1, "en"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an edition without variants: %v", err)
		}
	})
}
