package delivery

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Event is something that editors get a mail about.
type Event string

// The events.
const (
	EventProof      Event = "proof"      // a draft needs an approval
	EventHeld       Event = "held"       // an edition is held at its send time
	EventSent       Event = "sent"       // an edition was sent to everyone
	EventFailed     Event = "failed"     // an edition failed
	EventSkipped    Event = "skipped"    // an edition is skipped at its send time
	EventRelay      Event = "relay"      // a relay was stopped
	EventComplaints Event = "complaints" // many recipients reported an edition as spam
	EventPaused     Event = "paused"     // an edition was paused because too many recipients refuse it
)

// notifies returns who gets a mail about an event. By default there is a mail about every event
// except for editions that were sent.
func (d *Definition) notifies(event Event) Notify {
	on, set := d.Notices[event]
	if !set {
		on = event != EventSent
	}
	if !on {
		return NotifyNone
	}
	return cmp.Or(d.Notify, NotifyEditors)
}

const (
	// noticesEvery is the number of polls for each check for events.
	noticesEvery = 10
	// noticesAtOnce bounds how many editions are read at a time.
	noticesAtOnce = 20
	// relayNoticeEvery is the least time between two mails about the same relay: its circuit breaker
	// stops it again and again until the cause is fixed.
	relayNoticeEvery = 12 * time.Hour
	// complaintsFor is how long after its start an edition is watched for complaints.
	complaintsFor = 30 * 24 * time.Hour
)

// notifyEvents mails editors about editions that ended, stopped relays and complaints. Each mail is
// queued in the transaction that records the event as handled, so that it is sent once, whichever
// node does it and wherever that node is killed.
func (e *Engine) notifyEvents(ctx context.Context) error {
	return errors.Join(e.notifyEnded(ctx), e.notifyStoppedRelays(ctx), e.notifyComplaints(ctx))
}

func (e *Engine) notifyEnded(ctx context.Context) error {
	ended, err := e.Store.EndedWithoutNotice(ctx, noticesAtOnce)
	if err != nil {
		return err
	}
	for _, edition := range ended {
		var jobs []store.Job
		if def, err := e.definition(edition.Digest); err == nil {
			if jobs, err = e.endedJobs(ctx, def, edition); err != nil {
				return err
			}
		}
		if _, err := e.Store.RecordEndNotice(ctx, edition.Seq, jobs); err != nil {
			return err
		}
	}
	return nil
}

// endedJobs returns the jobs that mail editors about an edition that was sent or failed.
func (e *Engine) endedJobs(ctx context.Context, def *Definition, edition store.Edition) ([]store.Job, error) {
	n := editorMessage{button: openEdition, path: "/admin/editions/" + edition.ID}
	sent, failed := words.T("The edition of {0} was sent.", def.Title.In("en")), words.T("The edition of {0} failed: {1}", def.Title.In("en"), words.Stored(edition.Reason))
	if edition.IsMessage() {
		sent, failed = words.T("The message was sent."), words.T("The message failed: {0}", words.Stored(edition.Reason))
	}
	switch edition.State {
	case digest.Sent:
		counts, err := e.Store.EditionCounts(ctx, edition.Seq)
		if err != nil {
			return nil, err
		}
		n.heading = words.T("Sent: {0}", edition.Subject)
		n.lines = []words.Text{sent, words.T("Sent: {0}. Refused: {1}. Uncertain: {2}. Skipped: {3}.", counts.Sent, counts.Refused, counts.Uncertain, counts.Skipped)}
		return e.editorMailJobs(ctx, def.Name, def.notifies(EventSent), n)
	case digest.Failed:
		n.heading = words.T("Failed: {0}", edition.Subject)
		n.lines = []words.Text{failed}
		return e.editorMailJobs(ctx, def.Name, e.unlessAlerted(def.notifies(EventFailed)), n)
	}
	return nil, nil // an editor cancelled it, or it was skipped, which has a mail of its own
}

// unlessAlerted leaves out the owners if they get an alert about the same event.
func (e *Engine) unlessAlerted(notify Notify) Notify {
	switch {
	case e.OwnersAlerted && notify == NotifyOwners:
		return NotifyNone
	case e.OwnersAlerted && notify == NotifyEditors:
		return notifyOthers
	}
	return notify
}

func (e *Engine) notifyStoppedRelays(ctx context.Context) error {
	if len(e.Digests) == 0 {
		return nil
	}
	holds, err := e.Store.Holds(ctx)
	if err != nil {
		return err
	}
	notify := NotifyNone // every editor whom one of the digests selects, each once
	for i := range e.Digests {
		switch one := e.unlessAlerted(e.Digests[i].notifies(EventRelay)); {
		case one == NotifyNone, notify == NotifyEditors:
		case one == NotifyEditors, one != notify && notify != NotifyNone:
			notify = NotifyEditors
		default:
			notify = one
		}
	}
	for _, h := range holds {
		if h.Kind != store.RelayHeld {
			continue
		}
		jobs, err := e.editorMailJobs(ctx, e.Digests[0].Name, notify, editorMessage{
			heading: words.T("A relay was stopped: {0}", h.Relay),
			lines: []words.Text{
				words.T("No mail is sent over the relay {0} until {1}: {2}", h.Relay, h.Until.UTC().Format("15:04 MST"), words.Stored(h.Reason)),
				words.T("Then it is tried again. If the cause lasts, it is stopped again; the next mail about it comes in 12 hours at the earliest."),
			},
			button: words.T("Open the dashboard"), path: "/admin/",
		})
		if err != nil {
			return err
		}
		if _, err := e.Store.RecordNotice(ctx, "notice: relay "+h.Relay, relayNoticeEvery, jobs); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) notifyComplaints(ctx context.Context) error {
	found, err := e.Store.EditionsWithComplaints(ctx, e.Store.Now().Add(-complaintsFor))
	if err != nil {
		return err
	}
	for _, c := range found {
		def, err := e.definition(c.Digest)
		if err != nil {
			continue
		}
		counts, err := e.Store.EditionCounts(ctx, c.Seq)
		if err != nil {
			return err
		}
		if !exceeds(c.Complaints, counts.Sent, e.Policy.Rates.WarnComplaints) {
			continue
		}
		jobs, err := e.editorMailJobs(ctx, c.Digest, def.notifies(EventComplaints), editorMessage{
			heading: words.T("Reported as spam: {0}", c.Subject),
			lines: []words.Text{
				words.N(c.Complaints, "{0} recipient reported the edition of {1} as spam, of {2} who got it: {3} %.", "{0} recipients reported the edition of {1} as spam, of {2} who got it: {3} %.",
					def.Title.In("en"), counts.Sent, percent(c.Complaints, counts.Sent)),
				words.T("Above 0.1 % mailbox providers begin to move mails into the spam folder. The people who reported it get no more mails."),
			},
			button: openEdition, path: "/admin/editions/" + c.ID,
		})
		if err != nil {
			return err
		}
		if _, err := e.Store.RecordNotice(ctx, "notice: complaints "+c.ID, once, jobs); err != nil {
			return err
		}
	}
	return nil
}

// once is longer than the store keeps claims of notices, and these are kept longer than
// complaintsFor.
const once = 10 * 365 * 24 * time.Hour
