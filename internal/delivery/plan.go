package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// MaxPlannedTicks bounds how many ticks of a digest are planned.
const MaxPlannedTicks = 100

// PlannedTick is a coming tick of a digest, and what its edition would hold if no article changed
// until then.
type PlannedTick struct {
	At       time.Time // in the digest's timezone
	Key      string
	DraftAt  time.Time         // when its articles are chosen: at the tick, or DraftBefore earlier
	Edition  string            // id of its edition, if there is one already; or, if Joins, of an older draft
	Joins    bool              // the new articles join a draft, if that is not approved before
	Articles []article.Article // without their HTML, in the order in which they are chosen
	Left     int               // articles that wait for later editions
	Reason   words.Text        // why it makes no edition; empty if it makes one
}

// Plan returns the next n ticks of a digest with their articles. It changes nothing. Each
// edition is planned as if those before it were made and approved.
func (e *Engine) Plan(ctx context.Context, name string, n int) ([]PlannedTick, error) {
	def, err := e.definition(name)
	if err != nil {
		return nil, err
	}
	if def.Schedule == nil {
		return nil, errNoSchedule(name)
	}
	return e.plan(ctx, def, n, true)
}

func errNoSchedule(name string) error {
	return fmt.Errorf("digest %s has no schedule; its editions are made by hand", name)
}

// plan returns the next n ticks of a digest. It counts the articles that are left, which takes longer
// the more there are, only if it is asked to.
func (e *Engine) plan(ctx context.Context, def *Definition, n int, left bool) ([]PlannedTick, error) {
	p, err := e.newPlanner(ctx, def)
	if err != nil {
		return nil, err
	}
	p.left = left
	var out []PlannedTick
	ticks := p.ticks(min(n, MaxPlannedTicks))
	if err := p.readNewest(ctx, ticks); err != nil {
		return nil, err
	}
	for _, tick := range ticks {
		planned, err := p.plan(ctx, tick)
		if err != nil {
			return nil, err
		}
		out = append(out, planned)
	}
	return out, nil
}

// planAt plans an edition at a coming time after the ticks before it, and returns its number. The
// time need not be a tick.
func (e *Engine) planAt(ctx context.Context, def *Definition, at time.Time) (PlannedTick, int, error) {
	p, err := e.newPlanner(ctx, def)
	if err != nil {
		return PlannedTick{}, 0, err
	}
	if !at.After(p.now) {
		return PlannedTick{}, 0, words.Errorf("{0} is not in the future", timeIn(def, at))
	}
	number, err := e.Store.NextNumber(ctx, def.Name)
	if err != nil {
		return PlannedTick{}, 0, err
	}
	key := previewKey()
	if def.Schedule != nil {
		for _, tick := range p.ticks(MaxPlannedTicks) {
			if !tick.At.Before(at) {
				break
			}
			planned, err := p.plan(ctx, tick)
			if err != nil {
				return planned, 0, err
			}
			if planned.Edition == "" && len(planned.Articles) > 0 {
				number++
			}
		}
	}
	out, err := p.plan(ctx, schedule.Tick{At: at, Key: key})
	if err == nil && out.Edition != "" {
		var edition store.Edition
		edition, err = e.Store.Edition(ctx, out.Edition)
		number = edition.Number
	}
	return out, number, err
}

// planner plans the ticks of a digest one after the other.
type planner struct {
	*Engine
	def      *Definition
	state    store.DigestState
	zone     *time.Location
	now      time.Time
	earliest time.Time       // at which the articles of the next tick can be chosen
	draft    store.Edition   // that the articles of the next tick join; none if its ID is empty
	taken    map[string]bool // articles of earlier ticks
	fresh    int             // how many of those were in no draft
	editions []store.Edition // the newest ones
	newest   *newestArticles // nil if each tick is planned with its own query
	nothing  *words.Text     // why no article waits; nil until it is known
	left     bool            // count the articles that are left
}

// plannedEditions is how many of a digest's newest editions are searched for editions of coming ticks.
const plannedEditions = 50

func (e *Engine) newPlanner(ctx context.Context, def *Definition) (*planner, error) {
	p := &planner{Engine: e, def: def, now: e.Store.Now(), zone: def.zone(), taken: map[string]bool{}}
	p.earliest = p.now
	var err error
	if p.state, err = e.Store.DigestState(ctx, def.Name); err != nil {
		return nil, err
	}
	if p.editions, err = e.Store.Editions(ctx, def.Name, plannedEditions); err != nil {
		return nil, err
	}
	if def.awaitsApproval() {
		p.draft, _, err = e.Store.WaitingDraft(ctx, def.Name)
	}
	return p, err
}

// Zone returns the timezone of a digest, UTC for an unknown one.
func (e *Engine) Zone(name string) *time.Location {
	def, err := e.definition(name)
	if err != nil {
		return time.UTC
	}
	return def.zone()
}

// zone returns the timezone of the digest.
func (def *Definition) zone() *time.Location {
	zone, err := time.LoadLocation(def.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// ticks returns the next n ticks, and before them one that is due but has not been fired yet.
func (p *planner) ticks(n int) []schedule.Tick {
	ticks := p.def.Schedule.NextN(p.now, n)
	if !p.state.Next.IsZero() && !p.state.Next.After(p.now) && n > 0 {
		due, _ := dueTick(p.def, p.state, p.now)
		ticks = append([]schedule.Tick{due}, ticks[:min(len(ticks), n-1)]...)
	}
	return ticks
}

func (p *planner) plan(ctx context.Context, tick schedule.Tick) (PlannedTick, error) {
	out := PlannedTick{At: tick.At.In(p.zone), Key: tick.Key}
	out.DraftAt = laterOf(p.earliest, out.At.Add(-p.def.DraftBefore)).In(p.zone)
	p.earliest = out.At
	i := slices.IndexFunc(p.editions, func(e store.Edition) bool {
		return e.ScheduledFor == tick.Key || e.SendAt.Equal(tick.At) && e.Author == ""
	})
	if i >= 0 {
		return p.made(ctx, out, p.editions[i])
	}
	handled, err := p.Store.TickHandled(ctx, p.def.Name, tick.Key)
	if err != nil || handled {
		out.Reason = words.T("the tick was handled without an edition")
		return out, err
	}
	err = p.choose(ctx, &out)
	return out, err
}

// made returns the plan of a tick whose edition exists.
func (p *planner) made(ctx context.Context, out PlannedTick, edition store.Edition) (PlannedTick, error) {
	edition, err := p.Store.Edition(ctx, edition.ID)
	if err != nil {
		return out, err
	}
	if out.Edition, out.DraftAt = edition.ID, edition.Created.In(p.zone); edition.State == digest.Cancelled {
		out.Reason = words.T("its edition was cancelled: {0}", words.Stored(edition.Reason))
		return out, nil
	}
	out.Articles, err = p.Store.ArticlesByID(ctx, edition.Articles)
	for i := range out.Articles {
		out.Articles[i].HTML = ""
	}
	return out, err
}

// choose chooses the articles of a tick as they would be at its time.
func (p *planner) choose(ctx context.Context, out *PlannedTick) error {
	w := waiting(out.DraftAt, p.def, p.state, selection{draft: p.draft.ID})
	found, err := p.candidates(ctx, w)
	if err != nil {
		return err
	}
	rule := p.def.rule()
	rule.Filter = nil // the query has applied it; it needs the texts
	out.Articles = digest.Choose(found, rule, out.DraftAt)
	fresh := 0
	for i := range out.Articles {
		p.taken[out.Articles[i].ID] = true
		if !slices.Contains(p.draft.Articles, out.Articles[i].ID) {
			fresh++
		}
	}
	p.fresh += fresh
	w.Draft = ""
	if p.left {
		waits, err := p.Store.CountWaiting(ctx, w)
		if err != nil {
			return err
		}
		out.Left = max(0, waits-p.fresh)
	}
	if out.Edition, out.Joins = p.draft.ID, p.draft.ID != ""; out.Joins && fresh == 0 {
		out.Reason = words.T("a draft awaits approval, and there is nothing to add to it")
	}
	p.draft = store.Edition{}
	if len(out.Articles) > 0 {
		return nil
	}
	if out.Reason = p.tooFew(len(found)); len(found) > 0 || p.fresh > 0 {
		return nil
	}
	out.Reason, err = p.nothingReason(ctx, w)
	return err
}

// nothingReason explains why no article waits for a tick. The reason of the first tick holds for the
// others, unless the waiting period of an article ends meanwhile.
func (p *planner) nothingReason(ctx context.Context, w store.QueueQuery) (words.Text, error) {
	if p.nothing != nil && p.def.After == 0 {
		return *p.nothing, nil
	}
	b, err := p.backlog(ctx, p.def, w)
	if err != nil {
		return words.Text{}, err
	}
	reason := b.nothingNew(p.def).reason
	p.nothing = &reason
	return reason, nil
}

// tooFew explains why an edition is not made of n articles.
func (p *planner) tooFew(n int) words.Text {
	if n == 0 {
		return words.T("no further article fits yet")
	}
	return tooFew(n, max(p.def.Min, 1))
}

// tooFew explains that n articles are fewer than the least of an edition.
func tooFew(n, least int) words.Text {
	return words.N(n, "{0} article is queued, and an edition needs {1}", "{0} articles are queued, and an edition needs {1}", least)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
