package delivery

import (
	"context"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// FirstSendError refuses to approve the first edition to more than store.FirstSendLimit recipients,
// because the service was not diagnosed without errors.
type FirstSendError struct{}

func (e *FirstSendError) Error() string { return e.Text().String() }

// Text returns the error for pages.
func (e *FirstSendError) Text() words.Text { return firstSendReason }

// firstSendReason is why an edition is held.
var firstSendReason = words.T("this is the first mail to more than 1,000 subscribers, and tidings doctor has not run without errors yet; run it and correct what it finds, or let the edition pass with tidings doctor --accept")

// checkFirstSend returns a *FirstSendError if an edition is the first one to so many recipients and the
// service was not diagnosed without errors. A draft that no editor has to approve is then held: it is
// approved as soon as the store allows it.
func (e *Engine) checkFirstSend(ctx context.Context, edition store.Edition, groups []store.PreferenceGroup) error {
	recipients := int64(0)
	for _, group := range groups {
		recipients += group.Count
	}
	if !e.FirstSendCheck || recipients <= store.FirstSendLimit {
		return nil
	}
	allowed, err := e.Store.MaySendFirst(ctx)
	if err != nil || allowed {
		return err
	}
	refused := &FirstSendError{}
	if !edition.Automatic || edition.Held != "" {
		return refused
	}
	def, err := e.definition(edition.Digest)
	if err != nil {
		return err
	}
	jobs, err := e.editorMailJobs(ctx, def.Name, def.notifies(EventHeld), editorMessage{
		heading: words.T("Held, not sent: {0}", edition.Subject),
		lines: []words.Text{
			words.T("The edition of {0} was due now, but {1}.", def.Title.In("en"), firstSendReason),
			words.T("It is sent as soon as that is done."),
		},
		button: openEdition, path: "/admin/editions/" + edition.ID,
	})
	if err != nil {
		return err
	}
	first, err := e.Store.HoldFirstSend(ctx, edition.ID, firstSendReason.String(), jobs...)
	if err != nil {
		return err
	}
	if first {
		e.Log.Warn("an edition is held: it is the first one to many subscribers, and the service was not diagnosed without errors", "digest", edition.Digest, "edition", edition.ID, "subscribers", recipients)
	}
	return refused
}
