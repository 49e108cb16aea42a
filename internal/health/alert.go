package health

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Run watches the node until the context ends. It checks the database, and mails owners about
// findings that last.
func (m *Monitor) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { m.watchDatabase(ctx) })
	for backoff.Wait(ctx, checkEvery) == nil { // waits first, since the engine's loops are just starting
		m.checkAndAlert(ctx)
	}
	work.Wait()
}

const (
	checkEvery = 5 * time.Second
	// The database is checked piece by piece. The pause after a piece is integrityShare times as
	// long as the piece took, so that checking takes at most two percent of the time.
	integrityFor   = 2 * time.Second
	integrityEvery = 15 * time.Second
	integrityShare = 50
)

// watchDatabase checks the integrity of the database continually.
func (m *Monitor) watchDatabase(ctx context.Context) {
	var integrity store.Integrity
	for ctx.Err() == nil {
		start := time.Now()
		err := integrity.Check(ctx, m.Store, integrityFor)
		if kind := store.FaultOf(err); kind == store.FaultDamaged && m.damage.Load() == nil {
			m.damage.Store(&store.Fault{Kind: kind, Err: err, At: time.Now()})
			m.Log.Error("the database is damaged", "error", err)
		}
		if backoff.Wait(ctx, max(integrityEvery, integrityShare*time.Since(start))) != nil {
			return
		}
	}
}

// checkAndAlert checks the node once, and alerts owners to findings that have lasted longer than
// their grace period.
func (m *Monitor) checkAndAlert(ctx context.Context) {
	report := m.Check(ctx)
	if ctx.Err() != nil {
		return // the node is ending, and its engine may have ended already
	}
	now := time.Now()
	seen := map[string]bool{}
	for _, f := range report.findings {
		if seen[f.cause] {
			continue
		}
		seen[f.cause] = true
		if _, known := m.firstSeen[f.cause]; !known {
			m.firstSeen[f.cause] = now
			m.Log.Warn("health check failed", "what", f.text, "detail", f.detail)
		}
		if !f.quiet && now.Sub(m.firstSeen[f.cause]) >= f.grace {
			m.alert(ctx, f, m.Every)
		}
	}
	for cause := range m.firstSeen {
		if !seen[cause] {
			delete(m.firstSeen, cause)
			m.Log.Info("health check recovered", "what", cause)
		}
	}
	m.alertEditions(ctx)
	m.ReadOwners(ctx)
}

// alertEditions alerts owners to editions that failed in the last 24 hours or that the program
// paused, once for each.
func (m *Monitor) alertEditions(ctx context.Context) {
	editions, err := m.Store.Editions(ctx, "", 50)
	if err != nil {
		return // storeFindings reports the failure
	}
	for _, e := range editions {
		failed := e.State == digest.Failed && m.Store.Now().Sub(e.Finished) < 24*time.Hour
		paused := e.State == digest.Paused && !delivery.PausedByEditor(e)
		if !failed && !paused {
			continue
		}
		cause := "edition " + e.ID + " " + string(e.State)
		if paused {
			cause += ": " + e.Reason // it may be paused again for another reason
		}
		f := finding{cause: cause, text: fmt.Sprintf("an edition of %s is %s", e.Digest, e.State), detail: fmt.Sprintf("“%s”: %s", e.Subject, e.Reason)}
		m.alert(ctx, f, 0)
	}
}

// ReadOwners keeps the addresses of the owners, for alerts while the store cannot be read. It is called
// before Run, since the store may fail before the first check, and by Run.
func (m *Monitor) ReadOwners(ctx context.Context) {
	editors, err := m.Store.Editors(ctx)
	if err != nil {
		return
	}
	m.owners = m.owners[:0]
	for _, e := range editors {
		if e.Role == store.OwnerRole && e.Disabled.IsZero() {
			m.owners = append(m.owners, e.Email)
		}
	}
	if len(m.owners) == 0 {
		m.owners = append(m.owners, m.Fallback...)
	}
}

// alert mails a finding to the owners, at most once per interval over all nodes; an interval of 0
// means only once. If the mail cannot be queued in the store, the engine sends it directly.
func (m *Monitor) alert(ctx context.Context, f finding, every time.Duration) {
	if !m.Alerts {
		return
	}
	if every == 0 {
		every = 80 * 24 * time.Hour // the store keeps alerts for not much longer
	}
	if at, sent := m.alerted[f.cause]; sent && time.Since(at) < every {
		return
	}
	m.ReadOwners(ctx)
	if len(m.owners) == 0 {
		return // no owner exists yet; a finding that lasts is mailed later
	}
	take, err := m.Store.ClaimAlert(ctx, f.cause, every)
	if err == nil && take {
		err = m.Engine.MailEditors(ctx, m.owners, m.mail(f))
	}
	m.alerted[f.cause] = time.Now()
	if err == nil {
		return
	}
	if err := m.Engine.MailEditorsNow(ctx, m.owners, m.mail(f)); err != nil {
		m.Log.Error("the alert to the owners could not be sent", "what", f.text, "error", err)
		delete(m.alerted, f.cause) // try again at the next check
	}
}

// advice maps findings to what owners can do about them.
var advice = map[string]string{
	"backup":                       "It is tried again every fifteen minutes, and earlier backups are kept. Check the folder or bucket of the backups and its free space.",
	string(store.FaultFull):        "No mail is sent and nothing is recorded until there is free space. Free some space; sending then continues without a restart.",
	"disk":                         "When it is full, sending stops. Free some space, or move the store to a larger disk.",
	string(store.FaultDamaged):     "Stop the service, keep a copy of the files, and restore a backup.",
	string(store.FaultReplaced):    "Everything that is written now is lost when the process ends. On Linux you can still copy its open files from /proc/PID/fd before you restart it with the right ones.",
	string(store.FaultReadOnly):    "Check the owner and mode of the files, and the disk.",
	"schema":                       "Stop this process and start the version that migrated the store.",
	"clock":                        "Ticks and the leases of mails depend on it. Have both machines follow NTP.",
	"stuck: jobs":                  "Look for errors of the step \"single mails\" in the log, and restart the node.",
	"stuck: edition":               "Look for errors of the engine in the log, and restart the node.",
	string(store.FaultUnreachable): "Check the database server and the network.",
}

// mail returns the mail to owners about a finding. It is in English, as the log is.
func (m *Monitor) mail(f finding) delivery.EditorMail {
	lines := []string{strings.ToUpper(f.text[:1]) + f.text[1:] + ".", f.detail}
	for _, key := range []string{f.text, f.cause} {
		if text := advice[key]; text != "" {
			lines = append(lines, text)
			break
		}
	}
	lines = append(lines, "Node "+m.Node+", "+m.Store.Now().Format("2 January 2006 at 15:04 MST")+". If the problem lasts, the next alert is sent in "+m.Every.String()+".")
	mail := delivery.EditorMail{Heading: words.Verbatim(m.Title + ": " + f.text), Link: m.Site + "/admin/", Button: words.Verbatim("Open the admin"), Language: "en"}
	for _, line := range lines {
		mail.Lines = append(mail.Lines, words.Verbatim(line))
	}
	return mail
}
