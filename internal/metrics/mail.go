package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	ticks        = counters("tidings_ticks_total", "Ticks of schedules that this node handled, by what came of them.", "outcome")
	tickLateness = histograms("tidings_tick_lateness_seconds", "Time from a tick to its handling.", []float64{0.5, 1, 2.5, 5, 15, 60, 300, 3600})

	deliveries  = counters("tidings_deliveries_total", "Outcomes of mails of editions that this node recorded, by the class of the reply; \"none\" without a try.", "outcome", "reply")
	retries     = counter("tidings_delivery_retries_total", "Tries of mails of editions after the first.")
	singleMails = counters("tidings_single_mails_total", "Tries of single mails, such as confirmations and proofs, by outcome.", "outcome")
	bounces     = counters("tidings_bounces_total", "Bounces that were recorded, by kind and by where they came from.", "kind", "source")
	complaints  = counters("tidings_complaints_total", "Complaints that were recorded, by where they came from.", "source")

	editionPauses = counters("tidings_edition_pauses_total", "Editions that were paused because too many recipients complained or do not exist.", "cause")

	smtpDials       = counters("tidings_smtp_dials_total", "Connections that were made to relays, or failed.", "relay", "outcome")
	smtpConnections = gauges("tidings_smtp_connections", "Open connections to relays.", "relay")
)

// The series of these outcomes exist from the start, so that their first event is an increase.
func init() {
	for _, outcome := range []string{TickMadeEdition, TickJoinedDraft, TickSkipped} {
		ticks.WithLabelValues(outcome)
	}
	for _, outcome := range []string{SingleMailSent, SingleMailRetried, SingleMailFailed} {
		singleMails.WithLabelValues(outcome)
	}
	tickLateness.WithLabelValues()
	bounces.WithLabelValues("hard", "smtp")
	bounces.WithLabelValues("soft", "smtp")
	complaints.WithLabelValues("smtp")
	editionPauses.WithLabelValues("complaints")
	editionPauses.WithLabelValues("refusals")
}

// Outcomes of ticks.
const (
	TickMadeEdition = "edition"
	TickJoinedDraft = "joined_draft"
	TickSkipped     = "skipped"
)

// Tick counts a tick that was handled so long after its time.
func Tick(outcome string, late time.Duration) {
	ticks.WithLabelValues(outcome).Inc()
	tickLateness.WithLabelValues().Observe(max(late, 0).Seconds())
}

// Delivery counts the outcome of a mail of an edition. reply is the class of the server's reply;
// empty if the mail was not tried. again is set for a try after the first.
func Delivery(outcome, reply string, again bool) {
	if reply == "" {
		reply = "none"
	}
	deliveries.WithLabelValues(outcome, strings.ReplaceAll(reply, " ", "_")).Inc()
	if again {
		retries.Inc()
	}
}

// Outcomes of tries of single mails.
const (
	SingleMailSent    = "sent"
	SingleMailRetried = "retried"
	SingleMailFailed  = "failed"
)

// SingleMail counts a try of a single mail.
func SingleMail(outcome string) { singleMails.WithLabelValues(outcome).Inc() }

// Bounce counts a bounce. source is where it came from, such as smtp or the name of a mail service.
func Bounce(hard bool, source string) {
	kind := "soft"
	if hard {
		kind = "hard"
	}
	bounces.WithLabelValues(kind, source).Inc()
}

// Complaint counts a complaint. source is where it came from.
func Complaint(source string) { complaints.WithLabelValues(source).Inc() }

// EditionPaused counts an edition that was paused because of complaints or dead addresses.
func EditionPaused(cause string) { editionPauses.WithLabelValues(cause).Inc() }

// SMTP counts the connections to one relay.
type SMTP struct {
	open             prometheus.Gauge
	dialled, refused prometheus.Counter
}

// NewSMTP returns the counters of a relay with a name from the configuration.
func NewSMTP(relay string) SMTP {
	return SMTP{smtpConnections.WithLabelValues(relay), smtpDials.WithLabelValues(relay, "connected"), smtpDials.WithLabelValues(relay, "failed")}
}

// Dialled counts a connection that was made, or one that failed.
func (s SMTP) Dialled(err error) {
	if err != nil {
		s.refused.Inc()
		return
	}
	s.dialled.Inc()
	s.open.Inc()
}

// Closed counts the end of a connection.
func (s SMTP) Closed() { s.open.Dec() }
