package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
)

const planLong = `Plan shows the next times of a digest and the articles that each edition would hold if no article changed until
then. It takes the maximum of an edition, the waiting period and articles with a date in the future into account, and
changes nothing. With --article it explains why an article, given by its id or slug, is in the next edition or not: each
condition in words, and the edition that will hold it.`

// shownTick is a planned tick in the form that the commands print.
type shownTick struct {
	At       time.Time          `json:"at"`
	DraftAt  time.Time          `json:"draft_at"`
	Edition  string             `json:"edition,omitempty"`
	Joins    bool               `json:"joins_draft,omitempty"`
	Articles []shownPlanArticle `json:"articles"`
	Left     int                `json:"left"`
	Reason   string             `json:"reason,omitempty"`
}

type shownPlanArticle struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Title     string    `json:"title"`
	Published time.Time `json:"published"`
}

// shownCondition is a condition for an article in the form that the commands print.
type shownCondition struct {
	Name  string `json:"name"`
	Holds bool   `json:"holds"`
	Text  string `json:"text"`

	Edition string `json:"edition,omitempty"` // that the text is about
}

func showPlanArticle(a *article.Article) shownPlanArticle {
	return shownPlanArticle{ID: a.ID, Slug: a.Slug, Title: a.Title, Published: a.Published}
}

func showTick(tick *delivery.PlannedTick) shownTick {
	out := shownTick{At: tick.At, DraftAt: tick.DraftAt, Edition: tick.Edition, Joins: tick.Joins, Articles: []shownPlanArticle{}, Left: tick.Left, Reason: tick.Reason.String()}
	for i := range tick.Articles {
		out.Articles = append(out.Articles, showPlanArticle(&tick.Articles[i]))
	}
	return out
}

func newDigestPlan(a *cli) *cobra.Command {
	var n int
	var name string
	c := &cobra.Command{
		Use:     "plan NAME",
		Short:   "Show what the next editions would hold, and why an article is or is not in one",
		Long:    planLong,
		Example: "  tidings digest plan weekly\n  tidings digest plan weekly -n 8 --json\n  tidings digest plan weekly --article harbour-reopens",
		Args:    exactly("NAME"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			if n < 1 || n > delivery.MaxPlannedTicks {
				return usagef("-n %d is out of range; use 1 to %d", n, delivery.MaxPlannedTicks)
			}
			if name != "" {
				return a.planArticle(ctx, p, e, args[0], name)
			}
			ticks, err := e.Plan(ctx, args[0], n)
			if err != nil {
				return err
			}
			list := []shownTick{}
			for i := range ticks {
				list = append(list, showTick(&ticks[i]))
			}
			return a.print(map[string]any{"digest": args[0], "ticks": list}, func(w io.Writer) {
				for i := range list {
					printTick(w, &list[i])
				}
			})
		}),
	}
	c.Flags().IntVarP(&n, "ticks", "n", 3, "how many times to show")
	c.Flags().StringVar(&name, "article", "", "id or slug of an article to explain")
	return c
}

func (a *cli) planArticle(ctx context.Context, p *app.Service, e *delivery.Engine, digest, name string) error {
	found, err := p.FindArticle(ctx, name)
	if err != nil {
		return err
	}
	why, err := e.PlanArticle(ctx, digest, found)
	if err != nil {
		return err
	}
	conditions := []shownCondition{}
	for _, one := range why.Conditions {
		conditions = append(conditions, shownCondition{one.Name, one.Holds, one.Text.String(), one.Edition})
	}
	out := map[string]any{"digest": digest, "article": showPlanArticle(&found), "conditions": conditions}
	if why.Tick != nil {
		out["tick"] = showTick(why.Tick)
	}
	return a.print(out, func(w io.Writer) {
		fmt.Fprintln(w, found.Title)
		for _, one := range conditions {
			mark := "yes"
			if !one.Holds {
				mark = "no"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", mark, one.Name, one.Text)
			if one.Edition != "" {
				fmt.Fprintf(w, "\t\tedition %s\n", one.Edition)
			}
		}
		if why.Tick != nil {
			fmt.Fprintf(w, "planned for %s\n", planTime(why.Tick.At))
		} else {
			fmt.Fprintln(w, "in none of the coming editions")
		}
	})
}

func planTime(at time.Time) string { return at.Format("Mon 2 Jan 2006 15:04 MST") }

func printTick(w io.Writer, tick *shownTick) {
	fmt.Fprintf(w, "%s\t%s", planTime(tick.At), some(len(tick.Articles), "article", "articles"))
	if tick.Left > 0 {
		fmt.Fprintf(w, ", %s left for later", thousands(int64(tick.Left)))
	}
	if !tick.DraftAt.Equal(tick.At) {
		fmt.Fprintf(w, "; drafted %s", planTime(tick.DraftAt))
	}
	fmt.Fprintln(w)
	switch {
	case tick.Joins:
		fmt.Fprintf(w, "\tjoin the draft %s, if it is not approved before\n", tick.Edition)
	case tick.Edition != "":
		fmt.Fprintf(w, "\tedition %s\n", tick.Edition)
	}
	if tick.Reason != "" {
		fmt.Fprintf(w, "\tno edition: %s\n", tick.Reason)
	}
	for _, a := range tick.Articles {
		fmt.Fprintf(w, "\t%s\t%s\t%s\n", a.Published.In(tick.At.Location()).Format(time.DateOnly), a.Slug, a.Title)
	}
}
