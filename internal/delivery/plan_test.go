package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// planned writes the plan as lines of the tick's day, the slugs of its articles, how many are left, and
// the reason.
func (b *env) planned(n int) string {
	b.t.Helper()
	ticks, err := b.engine.Plan(b.t.Context(), "weekly", n)
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, tick := range ticks {
		var slugs []string
		for i := range tick.Articles {
			slugs = append(slugs, tick.Articles[i].Slug)
		}
		line := fmt.Sprintf("%s [%s]", tick.At.Format("2 Jan 15:04 MST"), strings.Join(slugs, " "))
		if tick.Joins {
			line += " joins"
		} else if tick.Edition != "" {
			line += " made"
		}
		if tick.Left > 0 {
			line += fmt.Sprint(" left ", tick.Left)
		}
		if !tick.Reason.IsZero() {
			line += ": " + tick.Reason.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (b *env) wantPlan(n int, want ...string) {
	b.t.Helper()
	if got := b.planned(n); got != strings.Join(want, "\n") {
		b.t.Errorf("the plan is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestPlanShowsWhatComingEditionsHold(t *testing.T) {
	t.Parallel()
	for _, kind := range storetest.Engines {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b, c := weekly(t, kind)
			const day = 24 * time.Hour
			b.wantPlan(1, "27 Nov 08:00 CET []: no published article fits this digest yet")
			for i := range 4 {
				b.addDatedArticle(fmt.Sprint("day", i), c.Now().Add(-time.Duration(i)*time.Hour))
				c.advance(time.Millisecond)
			}
			b.addDatedArticle("future", c.Now().Add(5*day))
			b.wantPlan(4,
				"27 Nov 08:00 CET [day0 day1 day2] left 1",
				"4 Dec 08:00 CET [future day3]",
				"11 Dec 08:00 CET []: no further article fits yet",
				"18 Dec 08:00 CET []: no further article fits yet")
			b.options.Digests[0].Min, b.options.Digests[0].Oldest = 2, true
			b.newEngine()
			b.wantPlan(2, "27 Nov 08:00 CET [day0 day1 day2] left 1", "4 Dec 08:00 CET [future day3]")
			b.options.Digests[0].Min, b.options.Digests[0].Oldest, b.options.Digests[0].After = 3, false, 2*day
			b.newEngine()
			b.wantPlan(3,
				"27 Nov 08:00 CET []: every article that fits has been here for less time than the digest's setting “after” requires",
				"4 Dec 08:00 CET [future day0 day1] left 2",
				"11 Dec 08:00 CET [] left 2: 2 articles are queued, and an edition needs 3")
		})
	}
}

// TestPlanShowsEditionsThatExist covers a draft that new articles join, an edition that was drafted before
// its tick, and a tick that is due.
func TestPlanShowsEditionsThatExist(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.addArticle("first")
	c.advance(44 * time.Hour) // past the tick of Friday
	b.wantPlan(2, "27 Nov 08:00 CET [first]", "4 Dec 08:00 CET []: no further article fits yet")
	b.fireTicks()
	b.addArticle("second")
	b.wantPlan(2, "4 Dec 08:00 CET [second first] joins", "11 Dec 08:00 CET []: no further article fits yet")

	ahead, clock := weekly(t, store.SQLite)
	ahead.options.Digests[0].DraftBefore = 48 * time.Hour
	ahead.newEngine()
	ahead.addArticle("first")
	ahead.fireTicks()
	clock.advance(time.Millisecond)
	ahead.addArticle("second")
	ahead.wantPlan(2, "27 Nov 08:00 CET [first] made", "4 Dec 08:00 CET [second]")
}

// fireTicks makes the editions that are due.
func (b *env) fireTicks() {
	b.t.Helper()
	if err := b.engine.RunSchedule(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// TestPlanSaysWhyAnArticleIsMissing covers each condition for an article.
func TestPlanSaysWhyAnArticleIsMissing(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		prepare func(b *env, c *clock, a *article.Article) // before the article is stored
		later   func(b *env, c *clock, id string)          // after it
		failed  string                                     // text of the condition that does not hold; empty for none
		held    string                                     // day of the tick that holds it; empty for none
	}{
		"in the next edition": {held: "27 Nov"},
		"a draft": {
			prepare: func(_ *env, _ *clock, a *article.Article) { a.Status = article.Draft },
			failed:  "status: it is a draft; only published articles are in editions",
		},
		"unlisted": {
			prepare: func(_ *env, _ *clock, a *article.Article) { a.Status = article.Unlisted },
			failed:  "status: it is unlisted; only published articles are in editions",
		},
		"removed": {
			later: func(b *env, _ *clock, id string) {
				if err := b.store.RemoveArticle(b.t.Context(), id); err != nil {
					b.t.Fatal(err)
				}
			},
			failed: "status: it is withdrawn; only published articles are in editions",
		},
		"expired": {
			prepare: func(_ *env, c *clock, a *article.Article) { a.Expires = c.Now().Add(day) },
			failed:  "expiry: it expires on 26 November 2026 13:00, before the articles are chosen on 27 November 2026 08:00",
		},
		"filtered": {
			prepare: func(b *env, _ *clock, a *article.Article) {
				b.options.Digests[0].Filter = parseFilter(b.t, "tag:sea AND NOT tag:ads")
				a.Tags = []string{"Sea", "Ads"}
			},
			failed: `filter: the digest's filter leaves it out: NOT tag:"ads" does not hold`,
		},
		"in the future": {
			prepare: func(_ *env, c *clock, a *article.Article) { a.Published = c.Now().Add(3 * day) },
			failed:  "date: it is dated 28 November 2026 13:00, after the articles are chosen on 27 November 2026 08:00",
			held:    "4 Dec",
		},
		"before the start": {
			prepare: func(_ *env, c *clock, a *article.Article) { a.Published = c.Now().AddDate(0, 0, -9) },
			failed:  "start: it is dated before the digest's start date, 20 November 2026, and was stored before the digest's first tick",
		},
		"sent": {
			later: func(b *env, _ *clock, _ string) {
				if _, err := b.engine.SendNow(b.t.Context(), "weekly", "ann"); err != nil {
					b.t.Fatal(err)
				}
			},
			failed: "queue: it is in edition 1 of 25 November 2026 13:00, which is approved; no article is sent twice",
		},
		"in a draft": {
			later: func(b *env, _ *clock, _ string) {
				if _, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"}); err != nil {
					b.t.Fatal(err)
				}
			},
			failed: "queue: it is in the draft of edition 1 of 25 November 2026 13:00, which awaits approval",
		},
		"marked as seen": {
			later: func(b *env, c *clock, _ string) {
				if _, err := b.engine.MarkSeen(b.t.Context(), "weekly", c.Now().Add(day)); err != nil {
					b.t.Fatal(err)
				}
			},
			failed: "queue: it is marked as seen; tidings digest mark-seen weekly --undo puts such articles back into the queue",
		},
		"excluded for good": {
			later:  excludeForGood,
			failed: "queue: ann excluded it for good from edition 1: not ours",
		},
		"waiting period": {
			prepare: func(b *env, _ *clock, _ *article.Article) { b.options.Digests[0].After = 3 * day },
			failed:  "waiting: its waiting period ends on 28 November 2026 13:00: an edition takes articles only after 3 days",
			held:    "4 Dec",
		},
		"without a place": {
			later: func(b *env, c *clock, _ string) {
				for i := range 3 {
					c.advance(time.Millisecond)
					b.addArticle(fmt.Sprint("newer", i))
				}
			},
			failed: "place: newer articles take the 3 places of the edition of Friday, 27 November 2026 at 08:00 CET",
			held:   "4 Dec",
		},
		"too few": {
			prepare: func(b *env, _ *clock, _ *article.Article) { b.options.Digests[0].Min = 2 },
			failed:  "place: the tick of Friday, 27 November 2026 at 08:00 CET makes no edition: 1 article is queued, and an edition needs 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := weekly(t, store.SQLite)
			b.addSubscribers(1)
			a := &article.Article{Source: "test:a", Slug: "a", Title: "A", HTML: "<p>A</p>", Published: c.Now(), Updated: c.Now(), Status: article.Published, Hash: "a"}
			if test.prepare != nil {
				test.prepare(b, c, a)
				b.newEngine()
			}
			kept, err := b.store.PutArticle(t.Context(), a, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.later != nil {
				test.later(b, c, kept.ID)
			}
			b.wantReason(kept.ID, test.failed, test.held)
		})
	}
}

// wantReason checks the one condition that an article does not meet, and the day of the tick that
// holds it.
func (b *env) wantReason(id, failed, held string) {
	b.t.Helper()
	a, err := b.store.Article(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	why, err := b.engine.PlanArticle(b.t.Context(), "weekly", a)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, one := range why.Conditions {
		if !one.Holds {
			got = append(got, one.Name+": "+one.Text.String())
		}
	}
	editions, err := b.store.Editions(b.t.Context(), "weekly", 1)
	if err != nil {
		b.t.Fatal(err)
	}
	text := strings.Join(got, "; ")
	if text != failed || len(editions) > 0 && strings.HasPrefix(failed, "queue: it is in") && (why.Edition == nil || why.Edition.ID != editions[0].ID) {
		b.t.Errorf("conditions that do not hold: %q in %+v; want %q", text, why.Edition, failed)
	}
	day := ""
	if why.Tick != nil {
		day = why.Tick.At.Format("2 Jan")
	}
	if day != held {
		b.t.Errorf("it is in the edition of %q; want %q", day, held)
	}
}

func parseFilter(t *testing.T, expression string) article.Filter {
	t.Helper()
	filter, err := article.ParseFilter(expression)
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

func excludeForGood(b *env, _ *clock, id string) {
	b.t.Helper()
	b.addArticle("other")
	draft, err := b.engine.Draft(b.t.Context(), "weekly", delivery.SendOptions{By: "ann"})
	if err != nil {
		b.t.Fatal(err)
	}
	composition, err := b.engine.Composition(b.t.Context(), draft.ID, "ann", "")
	if err != nil {
		b.t.Fatal(err)
	}
	composition.Exclude(id, "not ours", true)
	if err := b.engine.Compose(b.t.Context(), composition); err != nil {
		b.t.Fatal(err)
	}
}

func TestCalendarShowsEditionsAndComingTicks(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.addArticle("first")
	b.addSubscribers(1)
	if _, err := b.engine.SendNow(t.Context(), "weekly", "ann"); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	b.addArticle("second")
	if _, err := b.engine.Draft(t.Context(), "weekly", delivery.SendOptions{By: "ann"}); err != nil {
		t.Fatal(err)
	}
	b.addArticle("third")
	b.wantCalendar(time.October)
	b.wantCalendar(time.November, "25 Nov 13:00 edition 1 approved 1", "25 Nov 14:00 edition 2 draft 1", "27 Nov 08:00 planned 0  1")
	b.wantCalendar(time.December, "4 Dec 08:00 planned 0  0", "11 Dec 08:00 planned 0  0", "18 Dec 08:00 planned 0  0", "25 Dec 08:00 planned 0  0")
}

func TestCalendarShowsProofsAndSkippedTicks(t *testing.T) {
	t.Parallel()
	b, c := weekly(t, store.SQLite)
	b.options.Digests[0].DraftBefore = 5 * 24 * time.Hour
	b.newEngine()
	c.advance(44 * time.Hour) // past the tick of Friday
	b.fireTicks()
	b.addArticle("first")
	b.wantCalendar(time.November, "27 Nov 09:00 skipped 0  0", "29 Nov 08:00 proof 0  1")
	b.wantCalendar(time.December, "4 Dec 08:00 planned 0  1", "11 Dec 08:00 planned 0  0", "18 Dec 08:00 planned 0  0", "25 Dec 08:00 planned 0  0")
}

// wantCalendar fails the test unless a month has these entries.
func (b *env) wantCalendar(month time.Month, want ...string) {
	b.t.Helper()
	from := time.Date(2026, month, 1, 0, 0, 0, 0, b.engine.Zone("weekly"))
	entries, err := b.engine.Calendar(b.t.Context(), from, from.AddDate(0, 1, 0))
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, one := range entries {
		got = append(got, fmt.Sprintf("%s %s %d %s %d", one.At.Format("2 Jan 15:04"), one.Kind, one.Number, one.State, one.Articles))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		b.t.Errorf("%s has\n%s\nwant\n%s", month, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
