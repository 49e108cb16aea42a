package admin

import (
	"cmp"
	"context"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/chart"
	"github.com/tidings-press/tidings/internal/words"
)

// recentEditions is the number of ended editions on the dashboard.
const recentEditions = 8

// dashboardPage is the data of the dashboard: what needs a person, what is sent now and next, what
// was sent last, and the subscribers and readers of feeds.
type dashboardPage struct {
	Quarantine *store.Quarantine // nil unless the store is quarantined
	Tasks      []taskRow
	Checklist  []checklistStep // of a new site; nil if it is not shown
	UnderWay   []editionRow    // being sent
	Warmups    []delivery.RelayWarmup
	Next       []digestRow
	Recent     []resultRow
	Articles   int64
	store.SubscriberTotals
	Growth  growth
	Readers []feedReaders // the feeds with the most ones; nil if they are not counted
	AllRead int           // readers of all feeds
}

// Sending reports whether an edition is being sent.
func (p dashboardPage) Sending() bool { return len(p.UnderWay) > 0 }

// Active returns the number of active subscribers.
func (p dashboardPage) Active() int64 { return p.States[subscriber.Active] }

// Pending returns the number of subscribers who have not confirmed yet.
func (p dashboardPage) Pending() int64 { return p.States[subscriber.Pending] }

// BouncedOrComplained returns the number of subscribers who do not get mail for that reason.
func (p dashboardPage) BouncedOrComplained() int64 {
	return p.States[subscriber.Bounced] + p.States[subscriber.Complained]
}

// digestRow is a digest and its next edition.
type digestRow struct {
	config.Digest
	At          time.Time // zero without a schedule
	Subscribers int64
	Skipped     string // why its last tick created no edition; empty if it did
	Backlog     delivery.Backlog
	Ahead       store.Edition // what was drafted or approved for At; without an ID if nothing was
}

// AheadText returns what happens with the edition that was drafted or approved for the next tick.
func (r digestRow) AheadText() words.Text {
	switch {
	case r.Ahead.State != digest.Draft:
		return delivery.Waits
	case r.Ahead.Held != "":
		return words.T("held")
	case r.Ahead.Automatic:
		return words.T("sent at its time")
	}
	return words.T("needs approval")
}

// editionRow is an edition in a list.
type editionRow struct {
	store.Edition
	Counts store.DeliveryCounts
	Title  string // of its digest
	Waits  bool   // it was approved before its tick and waits for it
	// Of an edition that is being sent, as in delivery.EditionResult.
	Rate     float64
	Left     time.Duration
	Failures []store.FailureReason
}

// Over reports whether the edition counts as sent, since only mails that servers deferred are left.
func (e editionRow) Over() bool { return delivery.Over(e.State, e.Counts) }

// Retrying reports whether only deferred mails of the edition remain to be sent.
func (e editionRow) Retrying() bool { return delivery.Retrying(e.State, e.Counts) }

// StateText returns the state of the edition in words.
func (e editionRow) StateText() words.Text {
	if e.Waits {
		return delivery.Waits
	}
	return delivery.StateText(e.State, e.Counts)
}

// Done returns the number of mails with a final state.
func (e editionRow) Done() int64 { return e.Counts.Total - e.Counts.Open() }

// resultRow is an ended edition with a chart of its result.
type resultRow struct {
	editionRow
	Unsubscribed int64
	Chart        template.HTML
}

func (h *Handler) dashboard(w http.ResponseWriter, r *http.Request, session store.Session) error {
	ctx, l := r.Context(), h.words(w)
	overview, err := h.engine.Overview(ctx, recentEditions)
	if err != nil {
		return err
	}
	body := dashboardPage{Tasks: h.taskRows(&session.Editor, overview.Tasks)}
	body.Tasks = append(body.Tasks, h.importTasks(&session.Editor)...)
	backups, err := h.backupTasks(ctx, &session.Editor)
	if err != nil {
		return err
	}
	body.Tasks = append(body.Tasks, backups...)
	for _, one := range overview.Sending {
		body.UnderWay = append(body.UnderWay, h.editionRow(one))
	}
	if body.Warmups, err = h.engine.Warmups(ctx); err != nil {
		return err
	}
	for _, one := range overview.Ended {
		body.Recent = append(body.Recent, h.resultRow(one, l.Language))
	}
	if body.Quarantine, err = h.store.Quarantine(ctx); err != nil {
		return err
	}
	if body.Next, err = h.nextEditions(ctx, overview.Upcoming); err != nil {
		return err
	}
	if body.Articles, err = h.store.CountPublished(ctx); err != nil {
		return err
	}
	if body.SubscriberTotals, err = h.store.SubscriberTotals(ctx); err != nil {
		return err
	}
	if body.Growth, err = h.growth(ctx, l.Language); err != nil {
		return err
	}
	if err := h.fillReaders(ctx, &body); err != nil {
		return err
	}
	if body.Checklist, err = h.checklist(ctx, &session.Editor, body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "dashboard", page{Title: "Dashboard", Nav: "dashboard", Editor: &session.Editor, Flash: flash(r), Refresh: body.Sending(), Body: body})
}

func (h *Handler) editionRow(r delivery.EditionResult) editionRow {
	return editionRow{Edition: r.Edition, Counts: r.Counts, Title: h.digestTitle(r.Digest), Waits: r.Waits, Rate: r.Rate, Left: r.Left, Failures: r.Failures}
}

func (h *Handler) resultRow(r delivery.EditionResult, l *words.Language) resultRow {
	row := resultRow{editionRow: h.editionRow(r), Unsubscribed: r.Feedback[store.FeedbackUnsubscribed]}
	row.Chart = chart.Share(l.Say("Result of “{0}”", r.Subject), []chart.Part{
		{Name: l.Say("delivered"), Tone: chart.Good, Value: max(r.Counts.Sent-row.Unsubscribed, 0)},
		{Name: l.Say("unsubscribed"), Tone: chart.Other, Value: min(row.Unsubscribed, r.Counts.Sent)},
		{Name: l.Say("being retried"), Tone: chart.Warn, Value: r.Counts.Retried()},
		{Name: l.Say("refused"), Tone: chart.Bad, Value: r.Counts.Refused},
	}, func(n int64) string { return l.Number(n) })
	return row
}

// growth are the subscribers of the last twelve months.
type growth struct {
	Chart        template.HTML
	Joined, Left int64 // in the last 30 days
}

// growthMonths and recentDays are the times that growth shows.
const (
	growthMonths = 12
	recentDays   = 30
)

func (h *Handler) growth(ctx context.Context, l *words.Language) (growth, error) {
	var out growth
	now := h.store.Now()
	days, err := h.store.SubscriberDays(ctx, now.AddDate(0, -growthMonths, 0))
	if err != nil {
		return out, err
	}
	data := chart.Data{Title: l.Say("Subscribers in the last twelve months"), Empty: l.Say("The first figures come within five minutes."), Format: func(n int64) string { return l.Number(n) }}
	series := chart.Series{Name: l.Say("Subscribers")}
	for i, day := range days {
		if day.Day.After(now.AddDate(0, 0, -recentDays)) {
			for n := range maps.Values(day.Joined) {
				out.Joined += n
			}
			for n := range maps.Values(day.Left) {
				out.Left += n
			}
		}
		if (len(days)-1-i)%7 == 0 || len(days) <= 31 { // a point a week, or a day if there are few
			data.Labels = append(data.Labels, l.Day(day.Day))
			data.Ticks = append(data.Ticks, l.ShortDay(day.Day))
			series.Values = append(series.Values, day.Subscribed)
		}
	}
	data.Series = []chart.Series{series}
	out.Chart = chart.Lines(data)
	return out, nil
}

// feedReaders is a feed and its readers.
type feedReaders struct {
	Title any    // a title, or an English text
	Path  string // of its page; empty for none
	base  string // of its documents
	feed.Readers
}

// readersShown is the number of feeds whose readers are shown.
const readersShown = 5

func (h *Handler) fillReaders(ctx context.Context, body *dashboardPage) error {
	if h.readers == nil {
		return nil
	}
	counted, err := h.readers(ctx)
	if err != nil {
		return err
	}
	for base, n := range counted {
		body.Readers = append(body.Readers, feedReaders{base: base, Readers: n})
		body.AllRead += n.Subscribers
	}
	slices.SortFunc(body.Readers, func(a, b feedReaders) int {
		return cmp.Or(cmp.Compare(b.Subscribers, a.Subscribers), cmp.Compare(a.base, b.base))
	})
	body.Readers = body.Readers[:min(len(body.Readers), readersShown)]
	for i := range body.Readers {
		body.Readers[i].Title, body.Readers[i].Path = h.feedOf(body.Readers[i].base)
	}
	return nil
}

// feedOf returns the title of the feed whose documents have a base path, and the path of its page: in the
// admin if it is configured, or else on the site.
func (h *Handler) feedOf(base string) (title any, path string) {
	site := words.Verbatim(h.config.Site.Title.String())
	for _, f := range h.config.Feeds {
		if d, _, err := feedDefinition(f); err == nil && d.Base() == base {
			if f.Title == "" {
				return site, "/admin/feeds/" + f.Name
			}
			return words.Verbatim(f.Title), "/admin/feeds/" + f.Name
		}
	}
	kind, segment, _ := strings.Cut(strings.Trim(base, "/"), "/")
	name, err := feed.ParseSegment(segment)
	switch {
	case base == "/":
		return site, "/feeds"
	case kind == string(feed.Private):
		return words.T("Private feeds"), ""
	case kind == string(feed.ByDigest):
		return words.Verbatim(h.digestTitle(name)), base
	case err != nil || name == "":
		return words.Verbatim(base), base
	}
	return words.Verbatim(name), base
}

// nextEditions returns all digests with their next ticks, and with those of ahead that were drafted for
// these ticks.
func (h *Handler) nextEditions(ctx context.Context, ahead []store.Edition) ([]digestRow, error) {
	totals, err := h.store.SubscriberTotals(ctx)
	if err != nil {
		return nil, err
	}
	var out []digestRow
	for _, d := range h.config.Digests {
		row := digestRow{Digest: d, Subscribers: totals.Digests[d.Name]}
		if ticks := h.engine.NextTicks(d.Name, 1); len(ticks) > 0 {
			row.At = ticks[0].At
		}
		drafted := slices.IndexFunc(ahead, func(e store.Edition) bool { return e.Digest == d.Name && e.SendAt.Equal(row.At) })
		if drafted >= 0 {
			if row.Ahead, err = h.store.Edition(ctx, ahead[drafted].ID); err != nil {
				return nil, err
			}
		}
		if row.Backlog, err = h.engine.Backlog(ctx, d.Name, time.Time{}); err != nil {
			return nil, err
		}
		last, err := h.store.Ticks(ctx, d.Name, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 && last[0].Edition == "" {
			row.Skipped = last[0].Reason
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b digestRow) int { // those without a schedule last
		return cmp.Or(cmp.Compare(b2i(a.At.IsZero()), b2i(b.At.IsZero())), a.At.Compare(b.At))
	})
	return out, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// digestTitle returns a digest's title, or its name if it is no longer configured.
func (h *Handler) digestTitle(name string) string {
	if d, ok := h.configuredDigest(name); ok && d.Title != "" {
		return d.Title.String()
	}
	return name
}

func (h *Handler) configuredDigest(name string) (config.Digest, bool) {
	for _, d := range h.config.Digests {
		if d.Name == name {
			return d, true
		}
	}
	return config.Digest{}, false
}

// taskRow is something that needs a person: a sentence and a button.
type taskRow struct {
	Kind   delivery.TaskKind
	Text   words.Text
	Due    time.Time // zero for none
	Button words.Text
	Path   string // empty without a button
}

// Bad reports whether something is broken, rather than waiting for a decision.
func (t taskRow) Bad() bool {
	return t.Kind == importTask || t.Kind == delivery.TaskRelay || t.Kind == delivery.TaskFailed || t.Kind == delivery.TaskComplaints
}

func (h *Handler) taskRows(editor *store.Editor, tasks []delivery.Task) []taskRow {
	var out []taskRow
	for _, task := range tasks {
		out = append(out, h.taskRow(editor, task))
	}
	return out
}

// importShown is how many files that were not imported are listed.
const importShown = 3

// importTasks returns the files of watched folders that were not imported.
func (h *Handler) importTasks(editor *store.Editor) []taskRow {
	if h.imports == nil {
		return nil
	}
	problems := h.imports()
	var out []taskRow
	for _, problem := range problems[:min(len(problems), importShown)] {
		out = append(out, taskRow{Kind: importTask, Text: words.T("A file was not imported: {0}", problem)})
	}
	if more := len(problems) - len(out); more > 0 {
		out = append(out, taskRow{Kind: importTask, Text: words.T("Further files that were not imported: {0}", more)})
	}
	if len(out) > 0 {
		out[len(out)-1].Button, out[len(out)-1].Path = words.T("Show the articles"), h.firstPage(editor, "/admin/articles")
	}
	return out
}

// backupTasks returns the last backup on schedule if it failed. Only owners see it, since the error
// may name folders and hosts.
func (h *Handler) backupTasks(ctx context.Context, editor *store.Editor) ([]taskRow, error) {
	if editor.Role != store.OwnerRole {
		return nil, nil
	}
	last, err := h.store.ScheduledBackups(ctx, 1)
	if err != nil || len(last) == 0 || last[0].Error == "" {
		return nil, err
	}
	return []taskRow{{Kind: backupTask, Text: words.T("The last backup failed: {0}", last[0].Error)}}, nil
}

// backupTask is the kind of taskRow about a backup.
const backupTask delivery.TaskKind = "backup"

// importTask is the kind of taskRow about a file that was not imported.
const importTask delivery.TaskKind = "import"

func (h *Handler) taskRow(editor *store.Editor, t delivery.Task) taskRow {
	subject := cmp.Or(t.Edition.Subject, h.digestTitle(t.Edition.Digest))
	row := taskRow{Kind: t.Kind, Path: "/admin/editions/" + t.Edition.ID, Button: words.T("Open the edition")}
	switch t.Kind {
	case delivery.TaskProof:
		row.Text, row.Button, row.Due = words.T("“{0}” waits for your approval.", subject), words.T("Review and approve"), t.Edition.SendAt
	case delivery.TaskHeld:
		row.Text, row.Button, row.Due = words.T("“{0}” is held: {1}.", subject, words.Stored(t.Edition.Held)), words.T("Review"), t.Edition.SendAt
	case delivery.TaskPaused:
		row.Text = words.T("“{0}” is paused. Emails not sent yet: {1}.", subject, t.Count)
		if !delivery.PausedByEditor(t.Edition) && t.Edition.Reason != "" {
			row.Text = words.T("“{0}” was paused: {1}. Emails not sent yet: {2}.", subject, words.Stored(t.Edition.Reason), t.Count)
		}
	case delivery.TaskUncertain:
		row.Text, row.Button = words.T("Some emails of “{0}” may or may not have arrived: {1}.", subject, t.Count), words.T("Decide")
	case delivery.TaskFailed:
		row.Text = words.T("“{0}” was not sent: {1}.", subject, words.Stored(t.Edition.Reason))
	case delivery.TaskComplaints:
		row.Text = words.T("Recipients reported “{0}” as spam: {1} of {2}.", subject, t.Count, t.Of)
	case delivery.TaskRelay:
		row.Text, row.Button, row.Path = words.T("No email is sent over the mail server “{0}”: {1}.", t.Hold.Relay, words.Stored(t.Hold.Reason)), words.Text{}, ""
		if path := h.firstPage(editor, "/admin/settings/relays", "/admin/relays", "/admin/settings"); path != "" {
			row.Button, row.Path = words.T("Check the mail server"), path
		}
	}
	return row
}
