package admin

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/words"
)

// listPage is the data of the page of an uploaded list.
type listPage struct {
	List     store.UploadedList
	Settings subscription.UploadSettings
	Problem  error

	// Of the form with the columns and settings.
	Form           bool
	Columns        []listColumn
	Meanings       []subscriber.Meaning
	Digests        []digestChoice
	Labels, Topics string

	// Of the state and the report.
	Ignored   []string // headings that seem to be about consent, and are ignored
	Refused   []refusedLine
	RefusedBy []reasonCount
}

// listColumn is a column in the form.
type listColumn struct {
	Number    int // from 1
	Heading   string
	Example   string
	Meaning   subscriber.Meaning
	Undecided bool // its meaning is not known and must be chosen
}

// reasonCount is how many lines were refused for a reason.
type reasonCount struct {
	Reason refusalReason
	Count  int64
}

// Advice returns how to correct these lines.
func (r reasonCount) Advice() words.Text { return refusalAdvice[r.Reason] }

// refusedLine is a line that was refused.
type refusedLine struct{ store.UploadRefusal }

// Why returns the reason.
func (l refusedLine) Why() refusalReason { return refusalReason(l.Reason) }

// Running reports whether the list is being checked or imported.
func (p listPage) Running() bool { return p.List.State.Running() }

// Total returns the number of lines of the file, if the check has counted them.
func (p listPage) Total() int64 {
	if p.List.State == store.UploadImporting {
		return p.List.Lines
	}
	return 0
}

// Kept reports whether the file is still there.
func (p listPage) Kept() bool { return !p.List.Expires.IsZero() }

// LabelPath returns the address of the subscribers with the first label of the list; empty without one.
func (p listPage) LabelPath() string {
	if len(p.Settings.Labels) == 0 {
		return ""
	}
	return "/admin/subscribers?" + url.Values{"label": {p.Settings.Labels[0]}}.Encode()
}

// shownRefusals is how many refused lines the page shows.
const shownRefusals = 20

// requestedList returns the page of the list in a request's path.
func (h *Handler) requestedList(r *http.Request) (p listPage, err error) {
	if p.List, err = h.store.Upload(r.Context(), r.PathValue("id")); err == nil {
		p.Settings, err = subscription.SettingsOf(p.List)
	}
	return p, err
}

func (h *Handler) list(w http.ResponseWriter, r *http.Request, session store.Session) error {
	p, err := h.requestedList(r)
	if err != nil {
		return err
	}
	state := p.List.State
	p.Form = state == store.UploadStored || p.Kept() && r.URL.Query().Get("change") != "" && (state == store.UploadChecked || state == store.UploadFailed)
	if p.Form {
		err = h.fillListForm(r.Context(), &p, nil)
	} else {
		err = h.fillListState(r.Context(), &p)
	}
	if err != nil {
		return err
	}
	return h.showList(w, r, session, http.StatusOK, p)
}

func (h *Handler) showList(w http.ResponseWriter, r *http.Request, session store.Session, status int, p listPage) error {
	return h.show(w, status, "list_import", page{
		Title: words.Verbatim(p.List.Name), Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Live: p.Running(), Refresh: p.Running(), Body: p,
	})
}

// fillListForm fills the form of a list. chosen holds the meanings that an editor chose; it may be nil.
func (h *Handler) fillListForm(ctx context.Context, p *listPage, chosen []subscriber.Meaning) error {
	preview, err := h.manager().PreviewUpload(ctx, p.List, subscription.UploadSettings{Latin1: p.Settings.Latin1})
	if err != nil {
		return err
	}
	for i, c := range preview.Columns {
		column := listColumn{Number: i + 1, Heading: c.Heading, Example: preview.Examples[i], Meaning: c.Meaning, Undecided: c.Meaning == ""}
		if m, ok := p.Settings.Columns[i]; ok {
			column.Meaning = m
		}
		if i < len(chosen) {
			column.Meaning = cmp.Or(chosen[i], column.Meaning)
		}
		p.Columns = append(p.Columns, column)
	}
	p.Form, p.Meanings = true, subscriber.Meanings
	for _, d := range h.config.Digests {
		on := slices.Contains(p.Settings.Digests, d.Name) || len(h.config.Digests) == 1
		p.Digests = append(p.Digests, digestChoice{Name: d.Name, Title: digestTitle(d), On: on})
	}
	p.Labels, p.Topics = strings.Join(p.Settings.Labels, ", "), strings.Join(p.Settings.Topics, ", ")
	if p.List.State == store.UploadStored && p.Labels == "" {
		p.Labels = h.usualLabel(p.List)
	}
	return nil
}

// usualLabel returns the label that is offered for the people of a list: the name of the file, and the
// day.
func (h *Handler) usualLabel(list store.UploadedList) string {
	name := strings.ReplaceAll(strings.TrimSuffix(list.Name, path.Ext(list.Name)), ",", " ")
	return strings.TrimSpace(truncate(name, 60)) + " " + list.Created.In(h.zone).Format(time.DateOnly)
}

// fillListState fills the report of a list.
func (h *Handler) fillListState(ctx context.Context, p *listPage) error {
	if p.Running() {
		return nil
	}
	if p.List.State == store.UploadChecked {
		preview, err := h.manager().PreviewUpload(ctx, p.List, subscription.UploadSettings{Latin1: p.Settings.Latin1})
		if err != nil {
			return err
		}
		p.Ignored = subscription.UncheckedConsent(preview, p.Settings)
	}
	for _, reason := range slices.Sorted(maps.Keys(p.List.Report.RefusedBy)) {
		p.RefusedBy = append(p.RefusedBy, reasonCount{refusalReason(reason), p.List.Report.RefusedBy[reason]})
	}
	refused, err := h.store.UploadRefusals(ctx, p.List.ID, 0, shownRefusals)
	for _, line := range refused {
		p.Refused = append(p.Refused, refusedLine{line})
	}
	return err
}

// checkList stores the settings of a list and has it checked.
func (h *Handler) checkList(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	p, err := h.requestedList(r)
	if err != nil {
		return err
	}
	chosen := h.readListForm(r, &p)
	p.Settings.By = session.Editor.Email
	if r.PostForm.Get("agreed") == "" {
		err = store.InvalidInput(words.T("confirm that the people on this list agreed to get these mails"))
	} else {
		err = h.manager().CheckUpload(r.Context(), p.List, p.Settings, chosen)
	}
	switch {
	case correctable(err) && p.Kept() && !p.Running() && p.List.State != store.UploadImported:
		unchanged(r)
		p.Problem = err
		p.Settings.Columns = nil
		if err := h.fillListForm(r.Context(), &p, chosen); err != nil {
			return err
		}
		return h.showList(w, r, session, http.StatusUnprocessableEntity, p)
	case errors.Is(err, store.ErrUploadChanged), correctable(err):
		return listChanged(p.List.ID)
	case err != nil:
		return err
	}
	h.audit(r, session.Editor, "subscriber.check-list", "list", p.List.ID, "")
	http.Redirect(w, r, listPath(p.List.ID), http.StatusSeeOther)
	return nil
}

// maxListColumns bounds the columns that are read from the form.
const maxListColumns = 200

// readListForm reads the settings of a form, and returns the meaning of each column.
func (h *Handler) readListForm(r *http.Request, p *listPage) (chosen []subscriber.Meaning) {
	form := r.PostForm
	p.List.Revision, _ = strconv.ParseInt(form.Get("revision"), 10, 64) // 0 is none
	p.Settings.Latin1 = form.Get("latin1") != ""
	p.Settings.Digests = h.chosenDigests(form)
	p.Settings.Labels, p.Settings.Topics = splitList(truncate(form.Get("labels"), 10_000)), splitList(truncate(form.Get("topics"), 10_000))
	p.Settings.MailLanguage = strings.TrimSpace(truncate(form.Get("mail_language"), 100))
	p.Settings.Consent = truncate(form.Get("consent"), 10_000)
	for i := range maxListColumns {
		name := "column-" + strconv.Itoa(i+1)
		if !form.Has(name) {
			break
		}
		chosen = append(chosen, subscriber.Meaning(form.Get(name)))
	}
	return chosen
}

// listChanged refuses a request because of what another editor did with the list.
func listChanged(id string) error {
	return &userError{
		Status: http.StatusConflict, Title: "Not possible now", Text: "This list was changed, imported or removed since the page was shown. Nothing was changed by this request.",
		Link: listPath(id), Label: "Show the list",
	}
}

// startList imports a list that was checked.
func (h *Handler) startList(w http.ResponseWriter, r *http.Request, session store.Session) error {
	p, err := h.requestedList(r)
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(r.PostFormValue("revision"), 10, 64)
	if err == nil {
		detail := fmt.Sprintf("%d lines, digests: %s", p.List.Lines, strings.Join(p.Settings.Digests, ", "))
		ctx := h.auditing(r.Context(), session.Editor, "subscriber.import", "list", p.List.ID, detail)
		err = h.store.StartUpload(ctx, p.List.ID, revision, session.Editor.Email)
	}
	switch {
	case errors.Is(err, strconv.ErrSyntax), errors.Is(err, strconv.ErrRange), errors.Is(err, store.ErrUploadChanged):
		return listChanged(p.List.ID)
	case err != nil:
		return err
	}
	h.log.InfoContext(r.Context(), "list is being imported", "list", p.List.ID, "lines", p.List.Lines, "editor", session.Editor.ID)
	http.Redirect(w, r, listPath(p.List.ID), http.StatusSeeOther)
	return nil
}

// removeList removes a list that was not imported.
func (h *Handler) removeList(w http.ResponseWriter, r *http.Request, session store.Session) error {
	p, err := h.requestedList(r)
	if err == nil {
		err = h.store.RemoveUpload(h.auditing(r.Context(), session.Editor, "subscriber.remove-list", "list", p.List.ID, ""), p.List.ID)
	}
	switch {
	case errors.Is(err, store.ErrUploadChanged):
		return listChanged(p.List.ID)
	case err != nil:
		return err
	}
	return redirectWithFlash(w, r, "/admin/subscribers/import", "list-removed")
}

// refusedLines serves the refused lines of a list as CSV.
func (h *Handler) refusedLines(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	p, err := h.requestedList(r)
	if err != nil {
		return err
	}
	l := h.words(w)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="refused-lines.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{l.Say("Line"), l.Say("Reason"), l.Say("Column"), l.Say("Value")}) // Flush reports errors
	const atOnce = 500
	for after, more := int64(0), true; more; {
		lines, err := h.store.UploadRefusals(r.Context(), p.List.ID, after, atOnce)
		if err != nil {
			return err
		}
		for _, line := range lines {
			after = line.Number
			cells := []string{strconv.Itoa(line.Line), l.Translate(nameOf(refusalReason(line.Reason))), line.Heading, line.Value}
			for i := range cells {
				cells[i] = subscriber.SafeCell(cells[i])
			}
			_ = out.Write(cells)
		}
		more = len(lines) == atOnce
	}
	out.Flush()
	return out.Error()
}
