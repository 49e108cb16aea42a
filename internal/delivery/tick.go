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
	"github.com/tidings-press/tidings/internal/metrics"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// ErrNothingNew reports that a digest has too few new articles for an edition.
var ErrNothingNew = errors.New("nothing new")

// maxCandidates bounds how many waiting articles are considered for one edition.
const maxCandidates = 1000

// maxPlans bounds how often an edition is planned again after another node was faster.
const maxPlans = 5

// ensure creates the state of a digest in the store, and updates its next tick when the schedule
// has changed.
func (e *Engine) ensure(ctx context.Context, def *Definition) error {
	now := e.Store.Now()
	state := store.DigestState{Name: def.Name, Since: beginning(def, now)}
	if def.Schedule != nil {
		state.Spec = def.spec()
		tick, ok := def.Schedule.Next(now)
		handled, err := e.Store.Ticks(ctx, def.Name, comparedTicks)
		if err != nil {
			return err
		}
		if ok && slices.ContainsFunc(handled, func(t store.Tick) bool { return wallTime(t.ScheduledFor) == wallTime(tick.Key) }) {
			tick, ok = def.Schedule.Next(tick.At)
		}
		if ok {
			state.Next, state.NextKey = tick.At, tick.Key
		}
	}
	_, err := e.Store.EnsureDigest(ctx, state)
	return err
}

// comparedTicks is how many handled ticks a changed schedule is compared with.
const comparedTicks = 3

// wallTime returns the wall time of a tick's key, without its timezone. When a digest moves to another
// timezone, the same wall time comes again within hours; it is the same tick for its subscribers.
func wallTime(key string) string {
	wall, _, _ := strings.Cut(key, " ")
	return wall
}

// spec returns the schedule and timezone of a digest as the store has them.
func (d *Definition) spec() string { return d.Schedule.Spec() + " " + d.Schedule.Timezone() }

// beginning returns the beginning of a new digest: the day of the latest tick before now. Its first
// edition then has the same articles as if the digest had existed before. It is a whole day because
// many articles are dated without a time. A digest without a schedule begins a week ago.
func beginning(def *Definition, now time.Time) time.Time {
	if def.Schedule == nil {
		return now.AddDate(0, 0, -7)
	}
	from := now.AddDate(-1, 0, 0)
	if tick, ok := def.Schedule.Latest(from, now); ok {
		from = tick.At
	}
	if zone, err := time.LoadLocation(def.Schedule.Timezone()); err == nil {
		from = from.In(zone)
	}
	year, month, day := from.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, from.Location())
}

// runSchedule decides on the drafts whose tick has come, and fires every tick that is due. The
// articles of a later tick can then join a draft that is held.
func (e *Engine) runSchedule(ctx context.Context) error {
	errs := []error{e.meetDeadlines(ctx)}
	for i := range e.Digests {
		def := &e.Digests[i]
		if def.Schedule == nil {
			continue
		}
		if err := e.fire(ctx, def); err != nil && !errors.Is(err, store.ErrTaken) {
			errs = append(errs, fmt.Errorf("digest %s: %w", def.Name, err))
		}
	}
	return errors.Join(errs...)
}

// fire handles one due tick of a digest, if there is one: it makes a draft, adds to the waiting
// draft, or skips the tick. With DraftBefore a tick is due that long before its time. A node whose
// schedule is not the stored one fires nothing: the schedule was changed, and the node is about to take
// the new one.
func (e *Engine) fire(ctx context.Context, def *Definition) error {
	state, err := e.Store.DigestState(ctx, def.Name)
	now := e.Store.Now()
	if err != nil || state.Spec != def.spec() || !isDue(def, state, now) || state.Next.After(now) && now.Before(e.draftAgain[def.Name]) {
		return err
	}
	tick, update := dueTick(def, state, now)
	late := now.Add(def.DraftBefore).Sub(tick.At)
	handled, err := e.Store.TickHandled(ctx, def.Name, tick.Key)
	if err != nil {
		return err
	}
	if handled { // its edition was drafted before its time, and the schedule was changed since
		return e.Store.SkipTick(ctx, store.Tick{Digest: def.Name, ScheduledFor: tick.Key}, update)
	}
	joined, err := e.joinDraft(ctx, def, state, tick, update)
	var edition store.Edition
	if err == nil && !joined {
		edition, err = e.compose(ctx, def, state, tick)
	}
	if errors.Is(err, ErrNothingNew) && tick.At.After(now) {
		e.draftAgain[def.Name] = now.Add(draftAgainAfter)
		return nil
	}
	if errors.Is(err, ErrNothingNew) {
		metrics.Tick(metrics.TickSkipped, late)
		e.Log.Info("no edition at this tick", "digest", def.Name, "tick", tick.Key, "reason", err)
		return e.Store.SkipTick(ctx, store.Tick{Digest: def.Name, ScheduledFor: tick.Key, Reason: err.Error()}, update)
	}
	if err == nil && joined {
		metrics.Tick(metrics.TickJoinedDraft, late)
	}
	if err != nil || joined {
		return err
	}
	var jobs []store.Job
	if def.awaitsApproval() && !edition.Automatic {
		if jobs, err = e.proofJobs(def, edition, 0); err != nil {
			return err
		}
	}
	if edition, err = e.Store.CreateDraft(ctx, edition, &update, jobs...); err != nil {
		return err
	}
	metrics.Tick(metrics.TickMadeEdition, late)
	e.Log.Info("edition planned", "digest", def.Name, "edition", edition.ID, "number", edition.Number, "tick", tick.Key, "articles", len(edition.Articles), "late", late.Round(time.Millisecond))
	e.logBacklog(ctx, def)
	return nil
}

// logBacklog logs how many articles did not fit in an edition.
func (e *Engine) logBacklog(ctx context.Context, def *Definition) {
	state, err := e.Store.DigestState(ctx, def.Name)
	if err != nil {
		return
	}
	waiting, err := e.Store.CountWaiting(ctx, e.waiting(def, state, selection{}))
	if err == nil && waiting > 0 {
		e.Log.Warn("articles are left for later editions", "digest", def.Name, "articles", waiting, "hint", "tidings digest mark-seen "+def.Name+" --before DATE")
	}
}

// draftAgainAfter is how long to wait before a draft that had too few articles is tried again. Its
// tick is recorded without an edition only when its time has come.
const draftAgainAfter = 10 * time.Second

// isDue reports whether the next tick of a digest is due: its time has come, or with DraftBefore
// will soon. No edition is drafted before the tick before its own has come, so that articles of an
// edition that is skipped or held then can be in it. Where clocks change, a day is shorter than
// DraftBefore may be.
func isDue(def *Definition, state store.DigestState, now time.Time) bool {
	if state.Next.IsZero() || state.Next.After(now.Add(def.DraftBefore)) {
		return false
	}
	coming, ok := def.Schedule.Next(now)
	return !ok || !coming.At.Before(state.Next)
}

// dueTick returns the tick to fire, and the tick that follows it. After downtime it is the latest
// tick that was missed, or the oldest with Each.
func dueTick(def *Definition, state store.DigestState, now time.Time) (schedule.Tick, store.ScheduleUpdate) {
	tick := schedule.Tick{At: state.Next, Key: state.NextKey}
	if !def.Each && !state.Next.After(now) {
		if latest, ok := def.Schedule.Latest(state.Next, now); ok {
			tick = latest
		}
	}
	update := store.ScheduleUpdate{Spec: state.Spec, From: state.Next}
	if next, ok := def.Schedule.Next(tick.At); ok {
		update.Next, update.NextKey = next.At, next.Key
	}
	return tick, update
}

// compose chooses new articles and returns the draft of an edition with them for a tick.
func (e *Engine) compose(ctx context.Context, def *Definition, state store.DigestState, tick schedule.Tick) (store.Edition, error) {
	input, err := e.input(ctx, def, state, selection{keep: true}, tick.Key)
	if err != nil {
		return store.Edition{}, err
	}
	if def.DraftBefore == 0 {
		draft, err := e.newDraft(input, tick.Key)
		draft.Automatic = def.Automatic
		return draft, err
	}
	input.Date, input.Next = tick.At, e.nextDate(def, tick.At)
	draft, err := e.newDraft(input, tick.Key)
	if err == nil {
		e.draftAhead(def, &draft, tick)
	}
	return draft, err
}

// newDraft returns the draft of an edition for an input. key is the key of its tick.
func (e *Engine) newDraft(input digest.Input, key string) (store.Edition, error) {
	draft, err := digest.Compose(input, e.Templates)
	if err != nil {
		return store.Edition{}, err
	}
	draft.ScheduledFor = key
	return store.Edition{Edition: draft}, nil
}

// selection changes which articles an edition is chosen from.
type selection struct {
	since time.Time // replaces the digest's beginning, unless zero
	draft string    // id of a draft whose articles can be chosen too
	// keep stores what the choice finds out about the queue, for the next one.
	keep bool
}

// waiting returns the query for the articles that an edition can be chosen from now.
func (e *Engine) waiting(def *Definition, state store.DigestState, from selection) store.QueueQuery {
	return waiting(e.Store.Now(), def, state, from)
}

func waiting(now time.Time, def *Definition, state store.DigestState, from selection) store.QueueQuery {
	w := store.QueueQuery{
		Digest: def.Name, Since: state.Since, Began: state.Began, Now: now,
		Filter: def.Filter, Limit: maxCandidates, Oldest: def.Oldest, Draft: from.draft, Remember: from.keep,
	}
	if def.After > 0 {
		w.AppearedBy = now.Add(-def.After)
	}
	if !from.since.IsZero() {
		// All stored articles are then selected by their own date, as in a digest that begins now.
		w.Since, w.Began = from.since, time.Time{}
	}
	return w
}

// rule returns the rule by which articles are chosen.
func (def *Definition) rule() digest.Rule {
	return digest.Rule{Min: def.Min, Max: def.Max, Oldest: def.Oldest, After: def.After, Filter: func(a *article.Article) bool { return def.Filter.Match(a) }}
}

// input chooses the articles of the next edition. The edition's id is derived from the digest and
// the tick's key, and so are the Message-IDs and return paths of its mails. If a restored store
// makes the edition of a tick again, second copies have the Message-IDs of the first.
func (e *Engine) input(ctx context.Context, def *Definition, state store.DigestState, from selection, key string) (digest.Input, error) {
	w := e.waiting(def, state, from)
	chosen, err := e.chosen(ctx, def, w)
	if err != nil {
		return digest.Input{}, err
	}
	if len(chosen) == 0 {
		return digest.Input{}, e.nothingNewError(ctx, def, w)
	}
	number, err := e.Store.NextNumber(ctx, def.Name)
	if err != nil {
		return digest.Input{}, err
	}
	pictures, err := e.pictures(ctx, chosen, digest.Edits{}, def.Definition)
	return digest.Input{ID: e.names.EditionID(def.Name, key), Definition: def.Definition, Number: number, Site: e.Site, Articles: chosen, Pictures: pictures, Date: w.Now, Layout: def.Layout, Next: e.nextDate(def, time.Time{})}, err
}

// chosen chooses articles from those that wait. It reads the texts of the chosen ones alone.
func (e *Engine) chosen(ctx context.Context, def *Definition, w store.QueueQuery) ([]article.Article, error) {
	w.WithoutHTML = true
	rule := def.rule()
	rule.Filter = nil // the query has applied it; it needs the texts
	chosen, complete, err := e.chooseNewest(ctx, rule, w)
	if err == nil && !complete {
		var candidates []article.Article
		candidates, err = e.Store.WaitingArticles(ctx, w)
		chosen = digest.Choose(candidates, rule, w.Now)
	}
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(chosen))
	for i := range chosen {
		ids[i] = chosen[i].ID
	}
	return e.Store.ArticlesByID(ctx, ids)
}

// chooseNewest chooses the newest articles, as many as an edition may have. It returns what
// digest.Choose returns if all articles that wait are candidates; complete is false if it cannot find
// out. A query for more articles than an edition takes would go on through all that were sent.
func (e *Engine) chooseNewest(ctx context.Context, rule digest.Rule, w store.QueueQuery) (chosen []article.Article, complete bool, err error) {
	if rule.Max <= 0 || rule.Max >= w.Limit || rule.Oldest {
		return nil, false, nil
	}
	newest := w
	newest.Limit = rule.Max
	found, err := e.Store.WaitingArticles(ctx, newest)
	if err != nil {
		return nil, false, err
	}
	if len(found) < rule.Max { // these are all
		return digest.Choose(found, rule, w.Now), true, nil
	}
	// Which of several articles with the date of the last one are taken is up to digest.Choose.
	newest.Limit, newest.From = w.Limit, found[len(found)-1].Published
	found, err = e.Store.WaitingArticles(ctx, newest)
	chosen = digest.Choose(found, rule, w.Now)
	return chosen, len(chosen) == rule.Max, err
}

// NextTicks returns the next n ticks of a digest, or none when it has no schedule.
func (e *Engine) NextTicks(name string, n int) []schedule.Tick {
	def, err := e.definition(name)
	if err != nil || def.Schedule == nil {
		return nil
	}
	return def.Schedule.NextN(e.Store.Now(), n)
}
