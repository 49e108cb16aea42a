package delivery

import (
	"context"
	"errors"
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
	Name  string // status, expiry, filter, date, start, queue, waiting or place
	Holds bool
	Text  words.Text

	Edition string // id of the edition that the text is about; empty for none
}

// ArticlePlan explains when an article is in an edition of a digest.
type ArticlePlan struct {
	Article    article.Article
	Conditions []Condition     // those for the next edition, in the order in which they are checked
	Tick       *PlannedTick    // the planned tick whose edition holds it; nil for none
	Edition    *ArticleEdition // the edition that has it already; nil for none
}

// ArticleEdition is the edition of a digest that has an article.
type ArticleEdition struct {
	ID     string
	Number int
	At     time.Time // when it is or was sent, or for a draft without a time when it was made
	State  digest.State
}

// plannedForArticle is how many ticks are searched for an article.
const plannedForArticle = 12

// PlanArticle explains why an article is in the next edition of a digest or not, and which of the
// coming editions holds it.
func (e *Engine) PlanArticle(ctx context.Context, name string, a article.Article) (ArticlePlan, error) {
	def, err := e.definition(name)
	if err != nil {
		return ArticlePlan{}, err
	}
	if def.Schedule == nil {
		return ArticlePlan{}, errNoSchedule(name)
	}
	ticks, err := e.plan(ctx, def, plannedForArticle, false)
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
	out.Conditions, out.Edition = c.list, c.edition
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
	edition *ArticleEdition // that has the article already
}

func (c *conditions) add(name string, holds bool, text words.Text) {
	c.list = append(c.list, Condition{Name: name, Holds: holds, Text: text})
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
		periodEnd := appears.Add(c.def.After)
		if holds := !periodEnd.After(c.at); holds {
			c.add("waiting", true, words.T("its waiting period of {0} is over: it has been here since {1}", days(c.def.After), c.day(appears)))
		} else {
			c.add("waiting", false, words.T("its waiting period ends on {0}: an edition takes articles only after {1}", c.day(periodEnd), days(c.def.After)))
		}
	}
	return nil
}

func (c *conditions) status() {
	a := c.article
	status := a.StatusAt(c.at)
	if a.Status == article.Published {
		c.add("status", true, words.T("it is published"))
	} else {
		c.add("status", false, map[article.Status]words.Text{
			article.Draft:     words.T("it is a draft; only published articles are in editions"),
			article.Unlisted:  words.T("it is unlisted; only published articles are in editions"),
			article.Withdrawn: words.T("it is withdrawn; only published articles are in editions"),
			article.Scheduled: words.T("it is scheduled; only published articles are in editions"),
		}[status])
	}
	switch {
	case a.Expires.IsZero():
	case a.Expires.After(c.at):
		c.add("expiry", true, words.T("it expires on {0}, after the articles are chosen", c.day(a.Expires)))
	default:
		c.add("expiry", false, words.T("it expires on {0}, before the articles are chosen on {1}", c.day(a.Expires), c.day(c.at)))
	}
}

// filter names the part of the digest's filter that leaves the article out.
func (c *conditions) filter() {
	if c.def.Filter.Expr == nil {
		c.add("filter", true, words.T("the digest takes all articles"))
		return
	}
	for _, part := range conjuncts(c.def.Filter.Expr) {
		if one := (article.Filter{Expr: part}); !one.Match(c.article) {
			c.add("filter", false, words.T("the digest's filter leaves it out: {0} does not hold", one))
			return
		}
	}
	c.add("filter", true, words.T("the digest's filter selects it: {0}", c.def.Filter))
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
		c.add("date", false, words.T("it is dated {0}, after the articles are chosen on {1}", c.day(a.Published), c.day(c.at)))
	} else {
		c.add("date", true, words.T("it is dated {0}", c.day(a.Published)))
	}
	since, began := c.state.Since, c.state.Began
	switch {
	case since.IsZero(), !a.Published.Before(since):
	case !began.IsZero() && appears.After(began):
		c.add("start", true, words.T("it is dated before the digest's start date, but was added after the digest's first tick: it is a late article"))
	default:
		c.add("start", false, words.T("it is dated before the digest's start date, {0}, and was stored before the digest's first tick", c.day(since)))
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
		c.add("queue", true, words.T("no edition has had it"))
		return nil
	case id == "":
		return c.seen(ctx)
	}
	edition, err := c.Store.Edition(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		c.add("queue", false, words.T("it was in an edition that a restored store has lost"))
		return nil
	}
	if err != nil {
		return err
	}
	at := editionDate(edition).In(c.def.zone())
	c.edition = &ArticleEdition{edition.ID, edition.Number, at, edition.State}
	text := words.T("it is in edition {0} of {1}, which is {2}; no article is sent twice", edition.Number, c.day(at), words.Stored(edition.State))
	if edition.State == digest.Draft {
		text = words.T("it is in the draft of edition {0} of {1}, which awaits approval", edition.Number, c.day(at))
	}
	c.list = append(c.list, Condition{"queue", false, text, edition.ID})
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
				c.add("queue", false, excludedText(x, editions[i].Number))
				return nil
			}
		}
	}
	c.add("queue", false, words.T("it is marked as seen; tidings digest mark-seen {0} --undo puts such articles back into the queue", c.def.Name))
	return nil
}

// excludedText describes that an editor excluded an article from an edition with this number.
func excludedText(x digest.Exclusion, number int) words.Text {
	by := words.Verbatim(x.By)
	if x.By == "" {
		by = words.T("an editor")
	}
	if x.Reason == "" {
		return words.T("{0} excluded it for good from edition {1}", by, number)
	}
	return words.T("{0} excluded it for good from edition {1}: {2}", by, number, x.Reason)
}

// place explains whether the article has a place in the next edition. held is the tick that holds it.
func (c *conditions) place(next PlannedTick, held *PlannedTick) {
	if slices.ContainsFunc(c.list, func(one Condition) bool { return !one.Holds }) {
		return
	}
	switch {
	case held != nil && held.Key == next.Key && next.Joins:
		c.list = append(c.list, Condition{"place", true, words.T("it joins the draft that awaits approval at the tick of {0}, if that is not approved before", timeIn(c.def, next.At)), next.Edition})
	case held != nil && held.Key == next.Key:
		c.add("place", true, words.T("it has a place in the edition of {0}", timeIn(c.def, next.At)))
	case !next.Reason.IsZero():
		c.add("place", false, words.T("the tick of {0} makes no edition: {1}", timeIn(c.def, next.At), next.Reason))
	case next.Edition != "" && !next.Joins:
		c.add("place", false, words.T("the edition of {0} was drafted on {1} without it; an editor can add it", timeIn(c.def, next.At), timeIn(c.def, next.DraftAt)))
	case c.def.Oldest:
		c.add("place", false, words.N(len(next.Articles),
			"articles that have waited longer take the {0} place of the edition of {1}",
			"articles that have waited longer take the {0} places of the edition of {1}", timeIn(c.def, next.At)))
	default:
		c.add("place", false, words.N(len(next.Articles),
			"newer articles take the {0} place of the edition of {1}", "newer articles take the {0} places of the edition of {1}", timeIn(c.def, next.At)))
	}
}

func (c *conditions) day(at time.Time) words.Text {
	at = at.In(c.def.zone())
	if at.Hour() == 0 && at.Minute() == 0 {
		return words.T("{0}", words.Date(at))
	}
	return words.T("{0} {1}", words.Date(at), at.Format("15:04"))
}

// days writes a duration, in days if it is a number of days.
func days(d time.Duration) words.Text {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return words.N(int(d/day), "{0} day", "{0} days")
	}
	return words.Verbatim(strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.String()))
}
