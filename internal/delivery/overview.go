package delivery

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// TaskKind is what an editor has to decide or should know.
type TaskKind string

// The kinds of tasks, the most urgent first.
const (
	TaskRelay      TaskKind = "relay"      // a relay is stopped
	TaskFailed     TaskKind = "failed"     // an edition failed
	TaskUncertain  TaskKind = "uncertain"  // it is not known which mails of an edition arrived
	TaskHeld       TaskKind = "held"       // an editor or the schedule holds a draft
	TaskProof      TaskKind = "proof"      // a draft needs an approval
	TaskPaused     TaskKind = "paused"     // an edition is paused
	TaskComplaints TaskKind = "complaints" // many recipients reported an edition as spam
)

// Task is something in the delivery of editions that needs a person.
type Task struct {
	Kind    TaskKind
	Edition store.Edition // without its articles; of TaskComplaints only its ID, Digest and Subject; of TaskRelay none
	Count   int64         // uncertain mails, or complaints
	Of      int64         // recipients who got the edition, for complaints
	Hold    store.Hold    // of TaskRelay
}

// EditionResult is an edition with its counts.
type EditionResult struct {
	store.Edition
	Counts store.DeliveryCounts
	Waits  bool // it was approved before its tick and waits for it
	// Of an edition that is being sent: the mails per second since it began, the time left at that rate,
	// and the most frequent reasons of retries and refusals. They are 0 and nil if unknown.
	Rate     float64
	Left     time.Duration
	Failures []store.FailureReason
	Feedback map[store.FeedbackKind]int64
}

// Overview is the state of all editions.
type Overview struct {
	Tasks    []Task          // the most urgent first
	Sending  []EditionResult // approved or being sent
	Ended    []EditionResult // the newest ones; also those whose deferred mails are retried
	Upcoming []store.Edition // drafts and approved editions whose time is still to come, without their articles
}

const (
	// openEditions bounds how many editions that have not ended are looked at.
	openEditions = 50
	// tasksFor is how long a failed edition and complaints are shown.
	tasksFor = 7 * 24 * time.Hour
)

// Overview returns what needs a person, the editions that are being sent and the last n that have
// ended.
func (e *Engine) Overview(ctx context.Context, n int) (Overview, error) {
	var out Overview
	byKind := map[TaskKind][]Task{}
	add := func(task Task) { byKind[task.Kind] = append(byKind[task.Kind], task) }
	open, err := e.Store.OpenEditions(ctx, openEditions)
	if err != nil {
		return out, err
	}
	for _, edition := range open {
		if err := e.viewOpen(ctx, edition, &out, add); err != nil {
			return out, err
		}
	}
	ended, err := e.Store.EndedEditions(ctx, n)
	if err != nil {
		return out, err
	}
	for _, edition := range ended {
		result, err := e.result(ctx, edition)
		if err != nil {
			return out, err
		}
		out.Ended = append(out.Ended, result)
		if edition.State == digest.Failed && e.Store.Now().Sub(edition.Finished) < tasksFor {
			add(Task{Kind: TaskFailed, Edition: edition})
		}
	}
	out.Ended = out.Ended[:min(len(out.Ended), n)]
	if err := e.addRelaysAndComplaints(ctx, add); err != nil {
		return out, err
	}
	for _, kind := range []TaskKind{TaskRelay, TaskFailed, TaskUncertain, TaskHeld, TaskProof, TaskPaused, TaskComplaints} {
		out.Tasks = append(out.Tasks, byKind[kind]...)
	}
	return out, nil
}

// viewOpen adds an edition that has not ended, and what it needs.
func (e *Engine) viewOpen(ctx context.Context, edition store.Edition, out *Overview, add func(Task)) error {
	if edition.Started.IsZero() && edition.SendAt.After(e.Store.Now()) {
		out.Upcoming = append(out.Upcoming, edition)
	}
	switch {
	case edition.State == digest.Draft && edition.Held != "":
		add(Task{Kind: TaskHeld, Edition: edition})
		return nil
	case edition.State == digest.Draft:
		if !edition.Automatic {
			add(Task{Kind: TaskProof, Edition: edition})
		}
		return nil
	}
	result, err := e.result(ctx, edition)
	if err != nil {
		return err
	}
	if result.Counts.Uncertain > 0 && result.Counts.Open() == 0 {
		add(Task{Kind: TaskUncertain, Edition: edition, Count: result.Counts.Uncertain})
	}
	switch {
	case edition.State == digest.Paused:
		add(Task{Kind: TaskPaused, Edition: edition, Count: result.Counts.Open()})
	case Over(edition.State, result.Counts) && result.Counts.Uncertain == 0:
		out.Ended = append(out.Ended, result)
	default:
		out.Sending = append(out.Sending, result)
	}
	return nil
}

func (e *Engine) result(ctx context.Context, edition store.Edition) (EditionResult, error) {
	r := EditionResult{Edition: edition, Waits: e.waitsForTick(edition)}
	var err error
	if r.Counts, err = e.Store.EditionCounts(ctx, edition.Seq); err == nil {
		r.Feedback, err = e.Store.CountFeedback(ctx, edition.ID)
	}
	if err != nil || edition.State != digest.Sending {
		return r, err
	}
	if r.Counts.Deferred+r.Counts.Refused > 0 {
		r.Failures, _, err = e.Store.FailureReasons(ctx, edition.Seq)
		r.Failures = r.Failures[:min(len(r.Failures), shownReasons)]
	}
	warm, warmErr := e.warmupOf(ctx, r.Counts.Open())
	if warmErr != nil {
		return r, warmErr
	}
	took := e.Store.Now().Sub(edition.Started)
	if done := r.Counts.Sent + r.Counts.Refused; done > 0 && took >= time.Second && !edition.Started.IsZero() && !r.Retrying() {
		r.Rate = float64(done) / took.Seconds()
		if r.Counts.Warming == 0 { // else most of the time is spent waiting for the next day
			r.Left = time.Duration(float64(r.Counts.Open()) / r.Rate * float64(time.Second)).Round(time.Second)
		}
	}
	if warm.Days > 0 {
		r.Left = warm.Left
	}
	return r, err
}

// shownReasons is how many reasons of failures an edition in a list shows.
const shownReasons = 3

// Results returns the newest editions of a digest with their counts.
func (e *Engine) Results(ctx context.Context, name string, n int) ([]EditionResult, error) {
	editions, err := e.Store.Editions(ctx, name, n)
	var out []EditionResult
	for _, edition := range editions {
		result, err := e.result(ctx, edition)
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, err
}

// Retrying reports whether only deferred mails of the edition remain to be sent.
func (r EditionResult) Retrying() bool { return Retrying(r.State, r.Counts) }

// addRelaysAndComplaints adds stopped relays and complaints.
func (e *Engine) addRelaysAndComplaints(ctx context.Context, add func(Task)) error {
	holds, err := e.Store.Holds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.Kind == store.RelayHeld {
			add(Task{Kind: TaskRelay, Hold: h})
		}
	}
	complaints, err := e.Store.EditionsWithComplaints(ctx, e.Store.Now().Add(-tasksFor))
	if err != nil {
		return err
	}
	for _, c := range complaints {
		counts, err := e.Store.EditionCounts(ctx, c.Seq)
		if err != nil {
			return err
		}
		if exceeds(c.Complaints, counts.Sent, e.Policy.Rates.WarnComplaints) {
			task := Task{Kind: TaskComplaints, Count: c.Complaints, Of: counts.Sent}
			task.Edition.ID, task.Edition.Digest, task.Edition.Subject = c.ID, c.Digest, c.Subject
			add(task)
		}
	}
	return nil
}
