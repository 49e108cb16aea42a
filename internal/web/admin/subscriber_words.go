package admin

import (
	"fmt"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// consentSource is how a consent was given.
type consentSource string

// namesOfSubscribers are the texts of the pages of subscribers for values of the store.
var namesOfSubscribers = map[any]words.Text{
	subscriber.Pending:      words.T("pending"),
	subscriber.Active:       words.T("active"),
	subscriber.Paused:       words.T("paused"),
	subscriber.Unsubscribed: words.T("unsubscribed"),
	subscriber.Bounced:      words.T("bounced"),
	subscriber.Complained:   words.T("complained"),
	subscriber.Erased:       words.T("erased"),

	store.LeftReason:       words.T("the person unsubscribed"),
	store.BouncedReason:    words.T("the address is dead"),
	store.ComplainedReason: words.T("a mail was reported as spam"),
	store.ErasedReason:     words.T("the person was erased"),
	store.EditorReason:     words.T("by an editor or a list"),

	consentSource("form"):   words.T("by the form"),
	consentSource("import"): words.T("from an imported list"),
	consentSource("editor"): words.T("recorded by an editor"),
	consentSource("api"):    words.T("by the API"),

	store.ChangedAdded:      words.T("Subscriber added"),
	store.ChangedDetails:    words.T("Details changed"),
	store.ChangedLabels:     words.T("Labels changed"),
	store.ChangedConsent:    words.T("Consent replaced; the earlier one:"),
	store.ChangedDigest:     words.T("Subscribed"),
	store.ChangedLeft:       words.T("Left"),
	store.ChangedSuppressed: words.T("Suppressed"),
	store.ChangedLifted:     words.T("Suppression lifted"),
	store.ChangedInvited:    words.T("Invited"),
	store.ChangedExported:   words.T("Data exported"),

	digest.DeliveryQueued:     words.T("queued"),
	digest.DeliveryAttempting: words.T("being sent"),
	digest.DeliverySent:       words.T("delivered"),
	digest.DeliveryDeferred:   words.T("being retried"),
	digest.DeliveryRefused:    words.T("refused"),
	digest.DeliveryUncertain:  words.T("uncertain"),
	digest.DeliverySkipped:    words.T("skipped"),

	store.FeedbackBounced:      words.T("Bounced: the address is dead"),
	store.FeedbackSoft:         words.T("Bounced for now"),
	store.FeedbackComplained:   words.T("Reported as spam"),
	store.FeedbackUnsubscribed: words.T("Asked to be unsubscribed"),
	store.FeedbackDelivered:    words.T("Reported as delivered"),
}

// nameOf returns the text for a value of the store, or the value itself if there is none.
func nameOf(value any) words.Text {
	if text, ok := namesOfSubscribers[value]; ok {
		return text
	}
	return words.Verbatim(fmt.Sprint(value))
}
