package delivery_test

import (
	"slices"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestApprovedVariantIsCompiledOnce checks that the node that approves an edition sends what it
// compiled at the approval. A second compilation would be another value in the cache.
func TestApprovedVariantIsCompiledOnce(t *testing.T) {
	t.Parallel()
	each(t, sink.Options{}, nil, func(b *env) {
		b.addWithPreferences("all", "", nil, subscriber.Active)
		b.addWithPreferences("harbour", "", []string{"Harbour"}, subscriber.Active)
		b.addArticle("ferries")
		b.addArticle("cranes", "Harbour")
		b.newDeliveryEngine()
		draft, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"})
		if err != nil {
			b.t.Fatal(err)
		}
		approved, err := b.engine.Approve(b.t.Context(), draft.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		before := b.engine.Compiled(approved)
		if len(before) != 2 {
			b.t.Fatalf("%d variants are compiled at the approval, want 2", len(before))
		}
		b.run()
		b.sent(draft.ID)
		if after := b.engine.Compiled(approved); !slices.Equal(after, before) {
			b.t.Error("the variants were compiled again for sending")
		}
		b.wantOneMailEach(2)
	})
}
