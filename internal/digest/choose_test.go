package digest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// articleAt returns an article with an id. ingested and published are in days after testTime.
func articleAt(id string, ingested, published int) article.Article {
	return article.Article{
		ID: id, Status: article.Published,
		Ingested: testTime.AddDate(0, 0, ingested), Published: testTime.AddDate(0, 0, published),
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	draft, removed := articleAt("draft", -1, -1), articleAt("removed", -1, -1)
	draft.Status, removed.Status = article.Draft, article.Removed
	for name, tc := range map[string]struct {
		candidates []article.Article
		rule       Rule
		want       []string
	}{
		"newest first":             {[]article.Article{articleAt("old", -3, -3), articleAt("new", -1, -1), articleAt("mid", -2, -2)}, Rule{}, []string{"new", "mid", "old"}},
		"newest win a place":       {[]article.Article{articleAt("b", -2, -2), articleAt("a", -1, -1), articleAt("c", -3, -3)}, Rule{Max: 2}, []string{"a", "b"}},
		"newest by their own date": {[]article.Article{articleAt("late", 0, -400), articleAt("b", -2, -2), articleAt("c", -3, -3)}, Rule{Max: 2}, []string{"b", "c"}},
		"longest waiting go first": {[]article.Article{articleAt("a", -1, -1), articleAt("b", -2, -2), articleAt("c", -3, -3)}, Rule{Max: 2, Oldest: true}, []string{"b", "c"}},
		"backdated is picked up":   {[]article.Article{articleAt("late", -1, -400), articleAt("fresh", -2, -2)}, Rule{}, []string{"fresh", "late"}},
		"future waits":             {[]article.Article{articleAt("tomorrow", -5, 1), articleAt("now", -5, 0)}, Rule{}, []string{"now"}},
		"its day counts, not ours": {[]article.Article{articleAt("was future", -30, 0), articleAt("waits", -2, -2)}, Rule{Max: 1, Oldest: true}, []string{"waits"}},
		"too few":                  {[]article.Article{articleAt("a", -1, -1)}, Rule{Min: 2}, nil},
		"enough":                   {[]article.Article{articleAt("a", -1, -1), articleAt("b", -1, -2)}, Rule{Min: 2}, []string{"a", "b"}},
		"none":                     {nil, Rule{}, nil},
		"unpublished":              {[]article.Article{draft, removed}, Rule{}, nil},
		"each once":                {[]article.Article{articleAt("a", -1, -1), articleAt("a", -1, -1)}, Rule{Min: 2}, nil},
		"filter":                   {[]article.Article{articleAt("a", -1, -1), articleAt("b", -1, -1)}, Rule{Filter: func(a *article.Article) bool { return a.ID == "b" }}, []string{"b"}},
		"equal times by id":        {[]article.Article{articleAt("b", -1, -1), articleAt("a", -1, -1), articleAt("c", -1, -1)}, Rule{}, []string{"a", "b", "c"}},
	} {
		if got := ids(Choose(tc.candidates, tc.rule, testTime)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: chose %v, want %v", name, got, tc.want)
		}
	}
}

// TestEveryArticleIsChosenExactlyOnce chooses week after week, with any order of arrival, any dates
// and any rule.
func TestEveryArticleIsChosenExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, oldest := range []bool{false, true} {
		random := rand.New(rand.NewPCG(1, 2))
		var pool []article.Article
		times := map[string]int{}
		made, now := 0, testTime
		for week := range 60 {
			if week < 30 {
				for range random.IntN(15) {
					a := articleAt(fmt.Sprintf("n%03d", made), 0, 0)
					a.Ingested = now.Add(-time.Duration(random.IntN(7*24)) * time.Hour)
					a.Published = now.Add(time.Duration(random.IntN(40*24)-20*24) * time.Hour)
					pool, made = append(pool, a), made+1
				}
			}
			random.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
			for _, a := range Choose(pool, Rule{Max: 8, Oldest: oldest}, now) {
				times[a.ID]++
				pool = slices.DeleteFunc(pool, func(b article.Article) bool { return a.ID == b.ID })
			}
			now = now.AddDate(0, 0, 7)
		}
		if len(pool) != 0 || len(times) != made {
			t.Errorf("%d of %d articles were chosen, %d are left", len(times), made, len(pool))
		}
		for id, n := range times {
			if n != 1 {
				t.Errorf("%s was chosen %d times", id, n)
			}
		}
	}
}

func TestChooseDoesNotSortItsInput(t *testing.T) {
	t.Parallel()
	candidates := []article.Article{articleAt("b", -2, -2), articleAt("a", -1, -1)}
	Choose(candidates, Rule{}, testTime)
	if candidates[0].ID != "b" {
		t.Error("the caller's slice was sorted")
	}
}
