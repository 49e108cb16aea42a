package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// RateLimits are the shares of recipients, in percent, from which editors are warned or an edition is
// paused; 0 switches a limit off.
type RateLimits struct {
	WarnComplaints float64 // of the recipients of an edition reported it as spam
	StopComplaints float64 // of the recipients of the digest's recent editions reported one as spam
	StopRefusals   float64 // of the recipients of an edition do not exist
}

const (
	// ratesFor is how far back editions count for the complaints about a digest. The previous edition
	// always counts: a monthly digest would otherwise begin each edition without a record.
	ratesFor = 7 * 24 * time.Hour
	// minComplaints and minAttempts keep a small list from being paused by a few people.
	minComplaints = 5
	minAttempts   = 200
	// ratesEvery is the least time between two checks of an edition on a node; counters are as old.
	ratesEvery = 250 * time.Millisecond
	// maxRateChecks bounds how many editions a node remembers to have checked.
	maxRateChecks = 64
)

// exceeds reports whether n of all is the given percentage or more. A limit of 0 is never reached.
func exceeds(n, all int64, limit float64) bool {
	return limit > 0 && float64(n)*100 >= limit*float64(max(all, 1))
}

// percent returns a share for people, such as "0.35".
func percent(n, all int64) string {
	return fmt.Sprintf("%.2f", 100*float64(n)/float64(max(all, 1)))
}

// pauseReason returns why an edition with these rates must be paused, and no cause if it need not be.
func (l RateLimits) pauseReason(r store.Rates) (store.PauseCause, words.Text) {
	switch {
	case r.Complaints >= minComplaints && exceeds(r.Complaints, r.Sent, l.StopComplaints):
		return store.PausedForComplaints, words.T("too many complaints: {0} of {1} recipients of the latest editions reported one as spam ({2} %; the limit is {3} %)",
			r.Complaints, r.Sent, percent(r.Complaints, r.Sent), fmt.Sprint(l.StopComplaints))
	case r.Attempts >= minAttempts && exceeds(r.Refusals, r.Attempts, l.StopRefusals):
		return store.PausedForRefusals, words.T("too many dead addresses: {0} of {1} recipients do not exist ({2} %; the limit is {3} %)",
			r.Refusals, r.Attempts, percent(r.Refusals, r.Attempts), fmt.Sprint(l.StopRefusals))
	}
	return "", words.Text{}
}

// rateChecks remembers when a node has checked the rates of an edition.
type rateChecks struct {
	mu   sync.Mutex
	last map[int64]time.Time // by the edition's number
}

// due reports whether an edition should be checked now, and records that it is.
func (c *rateChecks) due(seq int64, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.last[seq]) < ratesEvery {
		return false
	}
	if c.last == nil || len(c.last) >= maxRateChecks {
		c.last = map[int64]time.Time{}
	}
	c.last[seq] = now
	return true
}

// checkRates pauses the editions that are being sent and whose rates are too high.
func (e *Engine) checkRates(ctx context.Context) error {
	open, err := e.Store.OpenEditions(ctx, openEditions)
	if err != nil {
		return err
	}
	var errs []error
	for _, edition := range open {
		if edition.State == digest.Sending {
			_, err := e.pauseForRates(ctx, edition)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// pauseForRates pauses an edition if its rates are too high, unless this node has just checked them.
// It returns true if it has paused the edition.
func (e *Engine) pauseForRates(ctx context.Context, edition store.Edition) (bool, error) {
	if e.Policy.Rates.StopComplaints == 0 && e.Policy.Rates.StopRefusals == 0 || !e.rateChecks.due(edition.Seq, time.Now()) {
		return false, nil
	}
	rates, err := e.Store.Rates(ctx, edition, e.Store.Now().Add(-ratesFor))
	if err != nil {
		return false, err
	}
	cause, reason := e.Policy.Rates.pauseReason(rates)
	if cause == "" || rates.Open == 0 { // the last mails were sent: the edition ends
		return false, nil
	}
	var jobs []store.Job
	if def, err := e.definition(edition.Digest); err == nil {
		if jobs, err = e.editorMailJobs(ctx, def.Name, e.unlessAlerted(def.notifies(EventPaused)), pauseMessage(edition, cause, reason)); err != nil {
			return false, err
		}
	}
	paused, err := e.Store.PauseForRates(ctx, edition, cause, reason.String(), jobs)
	if paused {
		e.Log.Warn("an edition was paused", "digest", edition.Digest, "edition", edition.ID, "reason", reason)
	}
	return paused, err
}

// pauseMessage informs editors that an edition was paused.
func pauseMessage(edition store.Edition, cause store.PauseCause, reason words.Text) editorMessage {
	advice := words.T("Mailbox providers refuse the mail of a sender whose mail is reported this often, also to those who want it. Find out which subscribers did not ask for it, and remove them before you resume.")
	if cause == store.PausedForRefusals {
		advice = words.T("So many dead addresses are the sign of an old or bought list, and mailbox providers refuse mail from its sender. Find out where these subscribers came from, and remove them before you resume.")
	}
	return editorMessage{
		heading: words.T("Paused: {0}", edition.Subject),
		lines:   []words.Text{words.T("The edition was paused: {0}.", reason), advice, words.T("An editor can resume it. The subscribers who have not received it get it then.")},
		button:  openEdition, path: "/admin/editions/" + edition.ID,
	}
}

// PausedByEditor reports whether a person paused the edition, not the program.
func PausedByEditor(edition store.Edition) bool {
	return edition.State == digest.Paused && (strings.HasPrefix(edition.Reason, "paused by ") || edition.Reason == "paused at the command line")
}
