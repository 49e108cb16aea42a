package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// ErrNothingNew says that a digest has too few new articles for an edition.
var ErrNothingNew = errors.New("nothing new")

// maxCandidates bounds how many waiting articles one edition is chosen from.
const maxCandidates = 1000

// maxPlans bounds how often a plan is replaced after another node was faster.
const maxPlans = 5

// ensure makes the row of a digest, and moves its next tick when the schedule was
// changed.
func (e *Engine) ensure(ctx context.Context, def *Definition) error {
	now := e.Store.Now()
	state := store.DigestState{Name: def.Name, Since: beginning(def, now)}
	if def.Schedule != nil {
		state.Spec = def.Schedule.Spec() + " " + def.Schedule.Timezone()
		if tick, ok := def.Schedule.Next(now); ok {
			state.Next, state.NextKey = tick.At, tick.Key
		}
	}
	_, err := e.Store.EnsureDigest(ctx, state)
	return err
}

// beginning is where a new digest begins: with the day of the tick before now, so that
// its first edition holds what it would have held had the digest been there already.
// Articles are dated by the day as often as not, hence the whole day. A digest without a
// schedule begins a week ago.
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

// runSchedule fires every tick that is due.
func (e *Engine) runSchedule(ctx context.Context) error {
	var errs []error
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

// fire deals with one due tick of a digest, if there is one.
func (e *Engine) fire(ctx context.Context, def *Definition) error {
	state, err := e.Store.DigestState(ctx, def.Name)
	now := e.Store.Now()
	if err != nil || state.Next.IsZero() || state.Next.After(now) {
		return err
	}
	tick, advance := dueTick(def, state, now)
	joined, err := e.joinDraft(ctx, def, state, tick.Key, advance)
	var edition store.Edition
	if err == nil && !joined {
		edition, err = e.compose(ctx, def, state, selection{}, tick.Key)
	}
	if errors.Is(err, ErrNothingNew) {
		e.Log.Info("no edition at this tick", "digest", def.Name, "tick", tick.Key, "reason", err)
		return e.Store.SkipTick(ctx, store.Tick{Digest: def.Name, ScheduledFor: tick.Key, Reason: err.Error()}, advance)
	}
	if err != nil || joined {
		return err
	}
	var jobs []store.Job
	if edition.Automatic = def.Automatic; !def.Automatic {
		if jobs, err = e.editorMailJobs(ctx, def.Name, def.Notify, e.draftMessage(def, edition, 0)); err != nil {
			return err
		}
	}
	if edition, err = e.Store.CreateDraft(ctx, edition, &advance, jobs...); err != nil {
		return err
	}
	e.Log.Info("edition planned", "digest", def.Name, "edition", edition.ID, "number", edition.Number, "tick", tick.Key, "articles", len(edition.Articles), "late", now.Sub(tick.At).Round(time.Millisecond))
	e.logBacklog(ctx, def)
	return nil
}

// logBacklog logs how many articles an edition had no place for.
func (e *Engine) logBacklog(ctx context.Context, def *Definition) {
	b, err := e.Backlog(ctx, def.Name, time.Time{})
	if err == nil && b.Waiting > 0 {
		e.Log.Warn("articles stay queued for later editions", "digest", def.Name, "articles", b.Waiting, "hint", "tidings digest mark-seen "+def.Name+" --before DATE")
	}
}

// dueTick says which of the ticks that are due counts, and what follows on it.
// After downtime that is the latest, or with Each the oldest.
func dueTick(def *Definition, state store.DigestState, now time.Time) (schedule.Tick, store.Advance) {
	tick := schedule.Tick{At: state.Next, Key: state.NextKey}
	if !def.Each {
		if latest, ok := def.Schedule.Latest(state.Next, now); ok {
			tick = latest
		}
	}
	advance := store.Advance{From: state.Next}
	if next, ok := def.Schedule.Next(tick.At); ok {
		advance.Next, advance.NextKey = next.At, next.Key
	}
	return tick, advance
}

// compose chooses what is new and makes the draft of an edition of it.
func (e *Engine) compose(ctx context.Context, def *Definition, state store.DigestState, from selection, key string) (store.Edition, error) {
	issue, err := e.input(ctx, def, state, from, key)
	if err != nil {
		return store.Edition{}, err
	}
	return e.newDraft(issue, key)
}

// newDraft makes the draft of an edition of an issue.
func (e *Engine) newDraft(issue digest.Input, key string) (store.Edition, error) {
	draft, err := digest.Compose(issue, e.Templates)
	if err != nil {
		return store.Edition{}, err
	}
	draft.ScheduledFor = key
	return store.Edition{Edition: draft}, nil
}

// selection says what an edition is chosen from.
type selection struct {
	since time.Time // in place of the digest's beginning; zero for that
	draft string    // id of a draft whose articles can be chosen too
}

// waiting asks for what an edition of a digest can be chosen from now.
func (e *Engine) waiting(def *Definition, state store.DigestState, from selection) store.Waiting {
	return waiting(e.Store.Now(), def, state, from)
}

func waiting(now time.Time, def *Definition, state store.DigestState, from selection) store.Waiting {
	w := store.Waiting{
		Digest: def.Name, Since: state.Since, Began: state.Began, Now: now,
		Filter: def.Filter, Limit: maxCandidates, Oldest: def.Oldest, Draft: from.draft,
	}
	if !from.since.IsZero() {
		// As if the digest began now: everything that is there is judged by its own date.
		w.Since, w.Began = from.since, time.Time{}
	}
	return w
}

// issue chooses the articles of the next edition. Its id follows from the digest and the
// tick's key, and with it the Message-IDs and return paths of its mails: should a
// restored store make the edition of a tick again, a second copy of a mail has the
// Message-ID of the first.
func (e *Engine) input(ctx context.Context, def *Definition, state store.DigestState, from selection, key string) (digest.Input, error) {
	w := e.waiting(def, state, from)
	candidates, err := e.Store.WaitingArticles(ctx, w)
	if err != nil {
		return digest.Input{}, err
	}
	rule := digest.Rule{Min: def.Min, Max: def.Max, Oldest: def.Oldest, Filter: func(a *article.Article) bool { return def.Filter.Match(a) }}
	chosen := digest.Choose(candidates, rule, w.Now)
	if len(chosen) == 0 {
		return digest.Input{}, e.nothingNewError(ctx, def, w)
	}
	number, err := e.Store.NextNumber(ctx, def.Name)
	return digest.Input{ID: e.names.EditionID(def.Name, key), Definition: def.Definition, Number: number, Site: e.Site, Articles: chosen, Date: w.Now}, err
}

// SendOptions says how an edition is made by hand.
type SendOptions struct {
	By string // the editor
	// Since moves the digest's beginning: what is there belongs to it if it is dated from
	// then on. Zero leaves the beginning where it is.
	Since time.Time
	// Expect is what the editor was shown of it; nil sends what there is.
	Expect *Fingerprint
}

// SendNow makes an edition of what is new and sends it without waiting for the
// schedule. by is the editor. It returns ErrNothingNew when there is nothing to
// send; an edition that a tick makes at the same moment takes the articles, and
// this one then has nothing.
func (e *Engine) SendNow(ctx context.Context, name, by string) (store.Edition, error) {
	return e.Send(ctx, name, SendOptions{By: by})
}

// Send is SendNow with all that can be said. It returns a *ChangedError when the edition
// would not be what was shown; nothing is made then.
func (e *Engine) Send(ctx context.Context, name string, o SendOptions) (store.Edition, error) {
	// Automatic: should this node die before it approves, any other does. One that was
	// shown is left for an editor then.
	edition, err := e.draft(ctx, name, o, o.Expect == nil)
	if err != nil {
		return edition, err
	}
	if o.Expect == nil {
		return e.Approve(ctx, edition.ID)
	}
	approved, err := e.ApproveUnchanged(ctx, edition.ID, *o.Expect)
	var changed *ChangedError
	if errors.As(err, &changed) { // between the two looks at its articles
		err = errors.Join(err, e.Cancel(ctx, edition.ID, "it changed since it was shown"))
	}
	return approved, err
}

// Draft makes an edition of what is new and leaves it for approval.
func (e *Engine) Draft(ctx context.Context, name, by string) (store.Edition, error) {
	return e.draft(ctx, name, SendOptions{By: by}, false)
}

func (e *Engine) draft(ctx context.Context, name string, o SendOptions, automatic bool) (store.Edition, error) {
	def, err := e.definition(name)
	if err == nil {
		err = e.mayPublish(ctx)
	}
	if err != nil {
		return store.Edition{}, err
	}
	for attempt := 1; ; attempt++ {
		state, err := e.Store.DigestState(ctx, name)
		if err != nil {
			return store.Edition{}, err
		}
		key := "manual:" + uuid.NewString()
		issue, err := e.input(ctx, def, state, selection{since: o.Since}, key)
		if err == nil && o.Expect != nil {
			err = e.checkUnchanged(ctx, "", issue, *o.Expect)
		}
		if err != nil {
			return store.Edition{}, err
		}
		edition, err := e.newDraft(issue, key)
		if err != nil {
			return store.Edition{}, err
		}
		edition.Author = o.By
		edition.Automatic = automatic
		if o.Since.IsZero() {
			edition, err = e.Store.CreateDraft(ctx, edition, nil)
		} else {
			edition, err = e.Store.CreateDraftSince(ctx, edition, o.Since)
		}
		if !errors.Is(err, store.ErrTaken) || attempt == maxPlans {
			return edition, err
		}
	}
}

// NextTicks returns the next ticks of a digest, none when it has no schedule.
func (e *Engine) NextTicks(name string, n int) []schedule.Tick {
	def, err := e.definition(name)
	if err != nil || def.Schedule == nil {
		return nil
	}
	return def.Schedule.NextN(e.Store.Now(), n)
}
