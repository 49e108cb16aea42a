package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Condition is one condition that an article must meet to be in the next edition of a digest.
type Condition struct {
	Name  string // status, expiry, filter, date, start, queue, ripening or place
	Holds bool
	Text  string // for people
}

// ArticlePlan explains when an article is in an edition of a digest.
type ArticlePlan struct {
	Article    article.Article
	Conditions []Condition  // those for the next edition, in the order in which they are checked
	Tick       *PlannedTick // the planned tick whose edition holds it; nil for none
}

// plannedForArticle is how many ticks are searched for an article.
const plannedForArticle = 12

// PlanArticle explains why an article is in the next edition of a digest or not, and which of the
// coming editions holds it.
func (e *Engine) PlanArticle(ctx context.Context, name string, a article.Article) (ArticlePlan, error) {
	ticks, err := e.Plan(ctx, name, plannedForArticle)
	if err != nil {
		return ArticlePlan{}, err
	}
	def, err := e.definition(name)
	if err != nil {
		return ArticlePlan{}, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return ArticlePlan{}, err
	}
	out := ArticlePlan{Article: a}
	for i := range ticks {
		if slices.ContainsFunc(ticks[i].Articles, func(b article.Article) bool { return a.ID == b.ID }) {
			out.Tick = &ticks[i]
			break
		}
	}
	c := conditions{Engine: e, def: def, state: state, article: &a, at: e.Store.Now().In(def.zone())}
	if len(ticks) > 0 {
		c.at = ticks[0].DraftAt
	}
	if err := c.check(ctx); err != nil {
		return out, err
	}
	if len(ticks) > 0 {
		c.place(ticks[0], out.Tick)
	}
	out.Conditions = c.list
	return out, nil
}

// conditions collects the conditions for an article.
type conditions struct {
	*Engine
	def     *Definition
	state   store.DigestState
	article *article.Article
	at      time.Time // when the articles of the next edition are chosen
	list    []Condition
}

func (c *conditions) add(name string, holds bool, format string, args ...any) {
	c.list = append(c.list, Condition{Name: name, Holds: holds, Text: fmt.Sprintf(format, args...)})
}

func (c *conditions) check(ctx context.Context) error {
	c.status()
	c.filter()
	appears, err := c.Store.Appears(ctx, c.article.ID)
	if err != nil {
		return err
	}
	c.dates(appears)
	if err := c.queue(ctx); err != nil {
		return err
	}
	if c.def.After > 0 {
		ripe := appears.Add(c.def.After)
		if holds := !ripe.After(c.at); holds {
			c.add("ripening", true, "it has ripened for %s: since %s", days(c.def.After), c.day(appears))
		} else {
			c.add("ripening", false, "it ripens until %s: an edition takes articles only after %s", c.day(ripe), days(c.def.After))
		}
	}
	return nil
}

func (c *conditions) status() {
	a := c.article
	status := a.StatusAt(c.at)
	if a.Status == article.Published {
		c.add("status", true, "it is published")
	} else {
		c.add("status", false, "it is %s; only published articles are in editions", map[article.Status]string{
			article.Draft: "a draft", article.Unlisted: "unlisted", article.Withdrawn: "withdrawn", article.Scheduled: "scheduled",
		}[status])
	}
	switch {
	case a.Expires.IsZero():
	case a.Expires.After(c.at):
		c.add("expiry", true, "it expires on %s, after the articles are chosen", c.day(a.Expires))
	default:
		c.add("expiry", false, "it expires on %s, before the articles are chosen on %s", c.day(a.Expires), c.day(c.at))
	}
}

// filter names the part of the digest's filter that leaves the article out.
func (c *conditions) filter() {
	if c.def.Filter.Expr == nil {
		c.add("filter", true, "the digest takes all articles")
		return
	}
	for _, part := range conjuncts(c.def.Filter.Expr) {
		if one := (article.Filter{Expr: part}); !one.Match(c.article) {
			c.add("filter", false, "the digest's filter leaves it out: %s does not hold", one)
			return
		}
	}
	c.add("filter", true, "the digest's filter selects it: %s", c.def.Filter)
}

// conjuncts returns the parts of an expression that must all hold.
func conjuncts(node article.Node) []article.Node {
	if and, ok := node.(article.And); ok {
		return append(conjuncts(and.Left), conjuncts(and.Right)...)
	}
	return []article.Node{node}
}

func (c *conditions) dates(appears time.Time) {
	a := c.article
	if a.Published.After(c.at) {
		c.add("date", false, "it is dated %s, after the articles are chosen on %s", c.day(a.Published), c.day(c.at))
	} else {
		c.add("date", true, "it is dated %s", c.day(a.Published))
	}
	since, began := c.state.Since, c.state.Began
	switch {
	case since.IsZero(), !a.Published.Before(since):
	case !began.IsZero() && appears.After(began):
		c.add("start", true, "it is dated before the digest's start date, but was added after the digest's first tick: it is a late article")
	default:
		c.add("start", false, "it is dated before the digest's start date, %s, and was stored before the digest's first tick", c.day(since))
	}
}

// queue explains whether the article waits for an edition, by the record of what editions have had.
func (c *conditions) queue(ctx context.Context) error {
	in, err := c.Store.EditionsWith(ctx, c.def.Name, []string{c.article.ID})
	if err != nil {
		return err
	}
	id, taken := in[c.article.ID]
	switch {
	case !taken:
		c.add("queue", true, "no edition has had it")
		return nil
	case id == "":
		return c.seen(ctx)
	}
	edition, err := c.Store.Edition(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		c.add("queue", false, "it was in an edition that a restored store has lost")
		return nil
	}
	if err != nil {
		return err
	}
	switch edition.State {
	case digest.Draft:
		c.add("queue", false, "it is in the draft of edition %d (%s), which awaits approval", edition.Number, edition.ID)
	default:
		c.add("queue", false, "it is in edition %d (%s) of %s, which is %s; no article is sent twice", edition.Number, edition.ID, c.day(issueDate(edition)), edition.State)
	}
	return nil
}

// seen explains why the article is marked as seen.
func (c *conditions) seen(ctx context.Context) error {
	editions, err := c.Store.Editions(ctx, c.def.Name, plannedEditions)
	if err != nil {
		return err
	}
	for i := range editions {
		for _, x := range editions[i].Edits.Excluded {
			if x.Article == c.article.ID && x.ForGood {
				c.add("queue", false, "%s excluded it for good from edition %d%s", orUnknown(x.By), editions[i].Number, reasonText(x.Reason))
				return nil
			}
		}
	}
	c.add("queue", false, "it is marked as seen; tidings digest mark-seen %s --undo puts such articles back into the queue", c.def.Name)
	return nil
}

func orUnknown(editor string) string {
	if editor == "" {
		return "an editor"
	}
	return editor
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// place explains whether the article has a place in the next edition. held is the tick that holds it.
func (c *conditions) place(next PlannedTick, held *PlannedTick) {
	if slices.ContainsFunc(c.list, func(one Condition) bool { return !one.Holds }) {
		return
	}
	switch {
	case held != nil && held.Key == next.Key && next.Joins:
		c.add("place", true, "it joins the draft %s at the tick of %s, if that is not approved before", next.Edition, c.time(next.At))
	case held != nil && held.Key == next.Key:
		c.add("place", true, "it has a place in the edition of %s", c.time(next.At))
	case next.Reason != "":
		c.add("place", false, "the tick of %s makes no edition: %s", c.time(next.At), next.Reason)
	case next.Edition != "" && !next.Joins:
		c.add("place", false, "the edition of %s was drafted on %s without it; an editor can add it", c.time(next.At), c.time(next.DraftAt))
	default:
		first := "newer articles"
		if c.def.Oldest {
			first = "articles that have waited longer"
		}
		c.add("place", false, "%s take the %s of the edition of %s", first, count(len(next.Articles), "place", "places"), c.time(next.At))
	}
}

func (c *conditions) day(at time.Time) string {
	at = at.In(c.def.zone())
	if at.Hour() == 0 && at.Minute() == 0 {
		return at.Format("2 January 2006")
	}
	return at.Format("2 January 2006 15:04")
}

func (c *conditions) time(at time.Time) string { return words.T("{0}", timeIn(c.def, at)).String() }

// days writes a duration, in days if it is a number of days.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return count(int(d/day), "day", "days")
	}
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String())
}
