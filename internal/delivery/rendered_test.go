package delivery_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
)

// TestPreviewShowsAChangeAtOnce checks that no page shows a mail that was rendered before a change.
func TestPreviewShowsAChangeAtOnce(t *testing.T) {
	t.Parallel()
	b, _ := weekly(t, store.SQLite)
	b.addArticle("sails")
	draft, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	look := func() delivery.VariantPreview {
		t.Helper()
		l, err := b.engine.PreviewEditionVariant(t.Context(), draft.ID, delivery.VariantPreviewOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	before := look()
	if again := look(); again.HTML != before.HTML || again.Text != before.Text {
		t.Error("the same draft is shown in two ways")
	}
	review, err := b.engine.Review(t.Context(), draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.DB().ExecContext(t.Context(), "UPDATE articles SET title = 'New sails'"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(look().HTML, "New sails") || strings.Contains(before.HTML, "New sails") {
		t.Error("the preview does not show the new title")
	}
	changed, err := b.engine.Review(t.Context(), draft.ID)
	if err != nil || changed.Fingerprint.Mail == review.Fingerprint.Mail {
		t.Errorf("the fingerprint of the changed mails is the same, %v", err)
	}
}

func TestTestMailsHaveMessageIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	b, _ := weekly(t, store.SQLite)
	b.addArticle("sails")
	seen := map[string]int{}
	for _, test := range []bool{false, false, true, true} {
		l, err := b.engine.PreviewNextVariant(t.Context(), "weekly", delivery.VariantPreviewOptions{Test: test, Unchecked: true})
		if err != nil {
			t.Fatal(err)
		}
		seen[l.Edition]++
	}
	if len(seen) != 3 {
		t.Errorf("previews and tests are of the editions %v; each test is one of its own", seen)
	}
}
