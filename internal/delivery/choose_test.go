package delivery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// chooser changes a store at random.
type chooser struct {
	*env
	clock  *clock
	r      *rand.Rand
	drafts []string
}

// put stores an article, or one that exists in another form. Its date is one of a few, so that many
// articles have the same.
func (c *chooser) put() error {
	n := c.r.IntN(40)
	published := c.store.Now().Truncate(24*time.Hour).AddDate(0, 0, c.r.IntN(9)-6)
	a := &article.Article{
		Source: fmt.Sprint("test:", n), Slug: fmt.Sprint("a", n), Title: fmt.Sprint("Article ", n, " of ", c.r.IntN(1000)), HTML: "<p>Text.</p>",
		Language: "en", Tags: []string{"all", fmt.Sprint("t", c.r.IntN(3))}, Published: published, Updated: published,
		Status: article.Published, Hash: fmt.Sprint(c.r.Uint64()),
	}
	if c.r.IntN(8) == 0 {
		a.Status = article.Draft
	}
	_, err := c.store.PutArticle(c.t.Context(), a, nil, nil)
	return err
}

// step changes something that decides which articles wait.
func (c *chooser) step() error {
	ctx := c.t.Context()
	now := c.store.Now()
	switch c.r.IntN(12) {
	case 0, 1:
		edition, err := c.engine.Draft(ctx, "weekly", delivery.SendOptions{By: "ann"})
		if errors.Is(err, delivery.ErrNothingNew) {
			return nil
		}
		c.drafts = append(c.drafts, edition.ID)
		return err
	case 2:
		if len(c.drafts) == 0 {
			return nil
		}
		i := c.r.IntN(len(c.drafts))
		id := c.drafts[i]
		c.drafts = slices.Delete(c.drafts, i, i+1)
		return c.engine.Cancel(ctx, id, "at random")
	case 3:
		_, err := c.engine.MarkSeen(ctx, "weekly", now.AddDate(0, 0, c.r.IntN(6)-6))
		return err
	case 4:
		_, err := c.engine.MarkUnseen(ctx, "weekly", time.Time{})
		return err
	case 5:
		return c.engine.SetBeginning(ctx, "weekly", now.AddDate(0, 0, c.r.IntN(8)-7))
	case 6:
		c.clock.now.Add(int64(c.r.IntN(40)) * time.Hour.Milliseconds())
		return nil
	}
	return c.put()
}

func TestArticlesAreChosenAsIfAllThatWaitWereRead(t *testing.T) {
	t.Parallel()
	filter, err := article.ParseFilter("tag:t1 OR tag:t2")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range storetest.Engines {
		for name, change := range map[string]func(def *delivery.Definition){
			"plain":  func(*delivery.Definition) {},
			"filter": func(def *delivery.Definition) { def.Filter = filter },
			"after":  func(def *delivery.Definition) { def.After = 30 * time.Hour },
			"min":    func(def *delivery.Definition) { def.Min = 3 },
			"oldest": func(def *delivery.Definition) { def.Oldest = true },
		} {
			t.Run(string(kind)+"/"+name, func(t *testing.T) {
				t.Parallel()
				seed := rand.Uint64()
				b, clock := weekly(t, kind)
				change(&b.options.Digests[0])
				b.newEngine()
				c := &chooser{env: b, clock: clock, r: rand.New(rand.NewPCG(seed, 0))}
				found := 0
				for n := range 120 {
					if err := c.step(); err != nil {
						t.Fatal(err)
					}
					chosen, fromAll, err := b.engine.ChosenTwice(t.Context(), "weekly")
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(chosen, fromAll) {
						t.Fatalf("seed %d, step %d: chosen %q, from all that wait %q", seed, n, chosen, fromAll)
					}
					found += len(chosen)
				}
				if found == 0 {
					t.Error("no article was ever chosen")
				}
			})
		}
	}
}
