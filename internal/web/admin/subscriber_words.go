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

// refusalReason is the reason for which a line of a list was refused.
type refusalReason string

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

	store.FeedbackBounced:      words.T("Hard bounce: the address is dead"),
	store.FeedbackSoft:         words.T("Soft bounce"),
	store.FeedbackComplained:   words.T("Reported as spam"),
	store.FeedbackUnsubscribed: words.T("Asked to be unsubscribed"),
	store.FeedbackDelivered:    words.T("Reported as delivered"),
}

// namesOfLists are the texts of the pages of imported lists for values of the store.
var namesOfLists = map[any]words.Text{
	store.UploadStored:    words.T("columns to be chosen"),
	store.UploadChecking:  words.T("being checked"),
	store.UploadChecked:   words.T("checked, not imported"),
	store.UploadImporting: words.T("being imported"),
	store.UploadImported:  words.T("imported"),
	store.UploadFailed:    words.T("failed"),
	store.UploadRemoved:   words.T("removed"),

	subscriber.MeansAddress:      words.T("email address"),
	subscriber.MeansName:         words.T("name"),
	subscriber.MeansGivenName:    words.T("first name"),
	subscriber.MeansFamilyName:   words.T("last name"),
	subscriber.MeansLanguage:     words.T("language of articles"),
	subscriber.MeansMailLanguage: words.T("language of mails"),
	subscriber.MeansTimezone:     words.T("timezone"),
	subscriber.MeansTopics:       words.T("topics"),
	subscriber.MeansDigests:      words.T("digests"),
	subscriber.MeansLabels:       words.T("labels"),
	subscriber.MeansConsent:      words.T("how the person agreed; “no” means that they did not"),
	subscriber.MeansConsentedAt:  words.T("date on which the person agreed"),
	subscriber.MeansState:        words.T("state: a word such as active or unsubscribed"),
	subscriber.MeansStays:        words.T("“no” means that the person left"),
	subscriber.MeansLeft:         words.T("“yes” or a date means that the person left"),
	subscriber.MeansLeftBecause:  words.T("any text means that the person left"),
	subscriber.MeansBounced:      words.T("“yes” or a date means that the address is dead"),
	subscriber.MeansBounceType:   words.T("kind of bounce: hard or soft"),
	subscriber.MeansComplained:   words.T("“yes” or a date means a spam complaint"),
	subscriber.MeansConfirmed:    words.T("“no” means that the person never confirmed"),
	subscriber.MeansNothing:      words.T("ignored"),

	refusalReason("address not valid"):                        words.T("address not valid"),
	refusalReason("no address"):                               words.T("no address"),
	refusalReason("more fields than columns"):                 words.T("more fields than columns"),
	refusalReason("line not readable"):                        words.T("line not readable"),
	refusalReason("state not understood"):                     words.T("state not understood"),
	refusalReason("language not understood"):                  words.T("language not understood"),
	refusalReason("unknown digest"):                           words.T("unknown digest"),
	refusalReason("unknown topic"):                            words.T("unknown topic"),
	refusalReason("second column is no name"):                 words.T("second column is no name"),
	refusalReason("several values not understood"):            words.T("several values not understood"),
	refusalReason("a word for a departure in another column"): words.T("a word for a departure in another column"),
	refusalReason("date not understood"):                      words.T("date not understood"),
	refusalReason("time zone not understood"):                 words.T("time zone not understood"),
	refusalReason("other"):                                    words.T("other problem"),
}

// nameOf returns the text for a value of the store, or the value itself if there is none.
func nameOf(value any) words.Text {
	for _, names := range []map[any]words.Text{namesOfSubscribers, namesOfLists} {
		if text, ok := names[value]; ok {
			return text
		}
	}
	return words.Verbatim(fmt.Sprint(value))
}

// refusalAdvice says how to correct the lines that were refused for a reason.
var refusalAdvice = map[refusalReason]words.Text{
	"address not valid":                        words.T("Write one address on each line, such as ada@example.org."),
	"no address":                               words.T("Add the address, or delete the line."),
	"more fields than columns":                 words.T("Put quotes around a value that contains the separator."),
	"line not readable":                        words.T("A quote is not closed, the line is longer than 64 KB, or its letters are in another encoding than the file."),
	"state not understood":                     words.T("Write a word such as active or unsubscribed, or yes or no, as the column requires, or choose another meaning for the column."),
	"language not understood":                  words.T("Write a tag such as en or pt-BR, or a name such as English."),
	"time zone not understood":                 words.T("Write a name such as Europe/Zurich."),
	"date not understood":                      words.T("Write a date such as 2026-05-31."),
	"unknown digest":                           words.T("Write the name of a digest of this site, or choose another meaning for the column."),
	"unknown topic":                            words.T("A topic is a tag of the digest’s articles. Write one of them, or choose another meaning for the column."),
	"second column is no name":                 words.T("Put a first line that names the columns, such as email,status."),
	"several values not understood":            words.T("Put commas between the values; at most 200 of at most 200 bytes."),
	"a word for a departure in another column": words.T("Choose a meaning for the column that says who left, or “ignored”."),
	"other": words.T("Look at the line in the file."),
}
