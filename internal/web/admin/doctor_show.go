package admin

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/doctor"
	"github.com/tidings-press/tidings/internal/store"
)

// doctorPath is the page of the checks of the service.
const doctorPath = "/admin/settings/doctor"

// doctorPage is the data of the page with the last run of doctor.
type doctorPage struct {
	Tab        string
	Running    bool
	Report     *doctor.Report // the last run; nil if there was none
	Findings   []doctor.Finding
	Holds      bool // the first mail to many subscribers waits for a good run
	Accepted   time.Time
	AcceptedBy string
}

// Limit returns above how many subscribers the first mail is held.
func (p doctorPage) Limit() int64 { return store.FirstSendLimit }

// Errors returns the number of errors.
func (p doctorPage) Errors() int { return p.Report.Count(doctor.Error) }

// Warnings returns the number of warnings.
func (p doctorPage) Warnings() int { return p.Report.Count(doctor.Warning) }

// Passed returns the number of findings that are in order.
func (p doctorPage) Passed() int { return p.Report.Count(doctor.OK) }

// doctorState returns the data of the page.
func (h *Handler) doctorState(ctx context.Context) (doctorPage, error) {
	body := doctorPage{Tab: "doctor"}
	open, err := h.store.OpenJobs(ctx, doctorKind, "", 1)
	if err != nil {
		return body, err
	}
	body.Running = open > 0
	run, err := h.store.Diagnosis(ctx)
	if err != nil {
		return body, err
	}
	body.Accepted, body.AcceptedBy = run.Accepted, run.AcceptedBy
	if !run.At.IsZero() {
		body.Report = &doctor.Report{}
		if err := json.Unmarshal(run.Report, body.Report); err != nil {
			return body, err
		}
		body.Findings = body.Report.Problems()
		for _, f := range body.Report.Findings {
			if f.Severity == doctor.Notice {
				body.Findings = append(body.Findings, f)
			}
		}
	}
	if h.config.Delivery.FirstSendCheck {
		allowed, err := h.store.MaySendFirst(ctx)
		body.Holds = !allowed
		return body, err
	}
	return body, nil
}

// doctorPage shows the last run of doctor.
func (h *Handler) doctorPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, err := h.doctorState(r.Context())
	if err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "doctor_show", page{Title: "Check of the service", Nav: "settings", Editor: &session.Editor, Flash: flash(r), Live: body.Running, Refresh: body.Running, Body: body})
}

// doctorEvents streams the state of the page as server-sent events: "doctor-state" with its HTML when a
// run ends, and "end" as the last event.
func (h *Handler) doctorEvents(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	s := h.openStream(w)
	if r.Method == http.MethodHead {
		return nil
	}
	return h.follow(s, r, "doctor", func() (ended bool, err error) {
		body, err := h.doctorState(r.Context())
		if err == nil && !body.Running {
			s.sendPart("doctor-state", body)
		}
		return !body.Running, err
	})
}

// runDoctor queues a run of all checks. A run that waits or is under way is that run.
func (h *Handler) runDoctor(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if _, err := h.store.Enqueue(h.auditing(r.Context(), session.Editor, "doctor.run", "", "", ""), store.Job{Kind: doctorKind, Key: doctorKind}); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor runs doctor", "editor", session.Editor.ID)
	http.Redirect(w, r, doctorPath, http.StatusSeeOther)
	return nil
}

// acceptFirstSend lets the first mail to many subscribers pass without a good run.
func (h *Handler) acceptFirstSend(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if r.FormValue("sure") != "yes" {
		return &userError{Status: http.StatusUnprocessableEntity, Title: "Nothing was changed", Text: "Tick the box to confirm that the first mail may be sent.", Link: doctorPath}
	}
	if err := h.store.AcceptFirstSend(h.auditing(r.Context(), session.Editor, "doctor.accept", "", "", ""), session.Editor.Email); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor let the first mail to many subscribers pass", "editor", session.Editor.ID)
	return redirectWithFlash(w, r, doctorPath, "first-send")
}

const (
	doctorKind  = "doctor" // of the jobs
	doctorLease = 2 * time.Minute
	doctorTries = 3
	doctorPoll  = time.Second // average; jitter of half of it
)

// runDoctors runs the checks that editors asked for until the context ends, also those that other nodes
// and earlier processes have left.
func (h *Handler) runDoctors(ctx context.Context) {
	for ctx.Err() == nil && h.diagnose != nil {
		select {
		case <-time.After(doctorPoll/2 + rand.N(doctorPoll)):
		case <-ctx.Done():
			return
		}
		if err := h.handleDoctor(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("doctor not run; trying again", "error", err)
		}
	}
}

// handleDoctor runs the checks if an editor asked for it.
func (h *Handler) handleDoctor(ctx context.Context) error {
	jobs, err := h.store.ClaimJobs(ctx, []string{doctorKind}, 1, doctorLease)
	if err != nil || len(jobs) == 0 {
		return err
	}
	err = h.diagnose(ctx)
	ctx = context.WithoutCancel(ctx) // a run that is not settled would wait for the end of its lease
	switch {
	case err == nil:
		return h.store.DropJob(ctx, jobs[0])
	case jobs[0].Tries < doctorTries:
		h.log.Warn("doctor failed; it will be tried again", "error", err)
		return h.store.RetryJob(ctx, jobs[0], backoff.Delay(5*time.Second, time.Minute, jobs[0].Tries), "tried again")
	}
	h.log.Error("doctor given up", "error", err)
	return h.store.DropJob(ctx, jobs[0])
}
