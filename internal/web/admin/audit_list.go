package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// auditPageSize is the number of entries on a page of the audit log.
const auditPageSize = 50

// auditPage is the data of the page of the audit log.
type auditPage struct {
	Entries []auditRow
	People  []string // addresses to choose from
	Actions []string // keywords to choose from
	Form    auditForm
	Problem any    // a text, or nil
	More    string // path of the older entries; empty if there are none
}

// auditForm is the filter as typed.
type auditForm struct{ Who, Action, Object, From, To string }

// Filtered reports whether the filter selects anything.
func (f auditForm) Filtered() bool { return f != auditForm{} }

// auditRow is an entry with the page of its object.
type auditRow struct {
	store.AuditEntry
	Path string // empty if the object has no page
}

// auditKinds are the kinds of objects with a page, and the path before their ids.
var auditKinds = map[string]string{"edition": "/admin/editions/", "digest": "/admin/digests/", "article": "/admin/articles/", "subscriber": "/admin/subscribers/", "list": "/admin/imports/"}

// auditActions are the keywords of actions in the admin, for the list of the filter.
var auditActions = []string{
	"account.address", "account.factor", "account.language", "account.passkey", "account.password", "account.provider", "account.recovery-codes",
	"article.publish", "article.remove", "article.restore", "article.restore-revision", "article.save", "article.unpublish",
	"backup.make", "checklist.dismiss",
	"doctor.accept", "doctor.run",
	"digest.draft", "digest.seen", "digest.send", "digest.start", "digest.test", "digest.unseen",
	"edition.add", "edition.approve", "edition.cancel", "edition.check", "edition.compose", "edition.drop", "edition.export", "edition.hold", "edition.pause", "edition.release", "edition.resend", "edition.resume", "edition.retry", "edition.subject", "edition.test", "edition.undo", "edition.unwaive", "edition.waive",
	"image.upload",
	"message.write",
	"people.disable", "people.enable", "people.invite", "people.join", "people.remove", "people.reset", "people.revoke", "people.role", "people.sign-in-methods",
	"quarantine.decide", "quarantine.release",
	"session.end", "session.factor", "session.start",
	"settings.change",
	"relay.resume", "relay.stop", "relay.test",
	"store.move", "store.move-undo",
	"subscriber.add", "subscriber.check-list", "subscriber.edit", "subscriber.erase", "subscriber.export", "subscriber.import", "subscriber.invite", "subscriber.lift", "subscriber.reinstate", "subscriber.remove-list", "subscriber.suppress", "subscriber.unsubscribe", "subscriber.unsuppress", "subscriber.upload",
}

func (h *Handler) auditLog(w http.ResponseWriter, r *http.Request, session store.Session) error {
	query := r.URL.Query()
	field := func(name string) string { return truncate(strings.TrimSpace(query.Get(name)), 254) }
	body := auditPage{Actions: auditActions, Form: auditForm{field("who"), field("action"), field("object"), field("from"), field("to")}}
	filter, problem := h.auditFilter(body.Form)
	filter.Older = parseAuditCursor(query.Get("older"))
	status := http.StatusOK
	if problem != nil {
		body.Problem, status = problem, http.StatusUnprocessableEntity
	} else {
		filter.Limit = auditPageSize + 1
		found, err := h.store.AuditLog(r.Context(), filter)
		if err != nil {
			return err
		}
		if len(found) > auditPageSize {
			found = found[:auditPageSize]
			body.More = auditPath(body.Form, found[len(found)-1].Cursor())
		}
		for _, e := range found {
			row := auditRow{AuditEntry: e}
			if before := auditKinds[e.Kind]; before != "" && e.Object != "" {
				row.Path = before + url.PathEscape(e.Object)
			}
			body.Entries = append(body.Entries, row)
		}
	}
	editors, err := h.store.Editors(r.Context())
	if err != nil {
		return err
	}
	for _, e := range editors {
		body.People = append(body.People, e.Email)
	}
	body.People = append(body.People, store.AuditCommandLine)
	return h.show(w, status, "audit_list", page{Title: "Audit log", Nav: "audit", Editor: &session.Editor, Body: body})
}

// auditFilter returns the filter of a form, or a text that says what is wrong with it.
func (h *Handler) auditFilter(form auditForm) (f store.AuditFilter, problem error) {
	f.Who, f.Action = form.Who, form.Action
	f.Kind, f.Object, _ = strings.Cut(form.Object, " ")
	f.Object = strings.TrimSpace(f.Object)
	for _, one := range []struct {
		text string
		into *time.Time
		days int
	}{{form.From, &f.From, 0}, {form.To, &f.To, 1}} {
		if one.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, one.text, h.zone)
		if err != nil {
			return f, errAuditDate
		}
		*one.into = day.AddDate(0, 0, one.days) // the day is included
	}
	return f, nil
}

var errAuditDate = words.Errorf("Enter a date such as 2026-01-31.")

// auditPath returns the path of the entries of a filter that are older than an entry.
func auditPath(form auditForm, older store.AuditCursor) string {
	values := url.Values{"older": {fmt.Sprintf("%d.%d", older.At, older.ID)}}
	for name, value := range map[string]string{"who": form.Who, "action": form.Action, "object": form.Object, "from": form.From, "to": form.To} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return "/admin/audit?" + values.Encode()
}

// parseAuditCursor reads the place in a path of auditPath; the beginning if it is not valid.
func parseAuditCursor(text string) store.AuditCursor {
	at, id, _ := strings.Cut(text, ".")
	a, err1 := strconv.ParseInt(at, 10, 64)
	b, err2 := strconv.ParseInt(id, 10, 64)
	if err1 != nil || err2 != nil {
		return store.AuditCursor{}
	}
	return store.AuditCursor{At: a, ID: b}
}
