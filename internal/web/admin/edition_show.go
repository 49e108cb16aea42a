package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
)

// deliveryLimit is the maximum number of deliveries of one state on a page.
const deliveryLimit = 10

// editionPage is the data of the page of an edition.
type editionPage struct {
	progress
	Articles   []article.Article
	Proof      *delivery.Proof  // of a draft that can be sent
	Approvals  []store.Approval // of an edition that is not a draft
	Problem    error            // why a draft cannot be sent
	Findings   []lint.Finding   // faults of a draft
	Refused    []store.AddressedDelivery
	Deferred   []store.AddressedDelivery    // for another try
	Warming    []store.AddressedDelivery    // deferred until the warm-up of their domain allows more
	Uncertain  []store.AddressedDelivery    // that are or were uncertain
	Feedback   map[store.FeedbackKind]int64 // bounces and complaints
	Recipients delivery.Recipients          // numbers of recipients and skipped subscribers
}

// progress is the data of the live parts of the page.
type progress struct {
	delivery.Progress
	Title  string // of the digest
	Editor *store.Editor
}

// Done returns the number of deliveries with a final state.
func (p progress) Done() int64 { return p.Counts.Total - p.Counts.Open() }

// Moving reports whether mails are being sent or will be sent without an editor's action.
func (p progress) Moving() bool {
	return p.Edition.State == digest.Approved || p.Edition.State == digest.Sending
}

// AwaitsDecision reports whether an editor must decide on uncertain mails.
func (p progress) AwaitsDecision() bool { return p.Counts.Uncertain > 0 && p.Idle() }

// Undoable reports whether the approval can be undone.
func (p progress) Undoable() bool {
	return p.Edition.State == digest.Approved && p.Edition.Started.IsZero()
}

// Can reports whether an action is possible in the state of the edition.
func (p progress) Can(action string) bool {
	next := map[string]digest.State{"approve": digest.Approved, "pause": digest.Paused, "resume": digest.Sending, "cancel": digest.Cancelled}[action]
	if action == "resume" && p.Edition.State != digest.Paused {
		return false
	}
	return p.Edition.State.CanBecome(next)
}

// editionArea returns the area of the navigation that an edition belongs to.
func editionArea(e store.Edition) string {
	if e.IsMessage() {
		return "messages"
	}
	return "digests"
}

func (h *Handler) edition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	p, err := h.engine.Progress(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	body := editionPage{progress: progress{p, h.digestTitle(p.Edition.Digest), &session.Editor}}
	if err := h.fillEdition(r.Context(), &body); err != nil {
		return err
	}
	return h.show(w, http.StatusOK, "edition_show", page{
		Title: p.Edition.Subject, Nav: editionArea(p.Edition), Editor: &session.Editor, Flash: flash(r),
		Live: !p.Edition.State.Final(), Refresh: body.Moving(), Body: body,
	})
}

func (h *Handler) fillEdition(ctx context.Context, body *editionPage) (err error) {
	e := body.Edition
	for _, list := range []struct {
		state digest.DeliveryState
		into  *[]store.AddressedDelivery
	}{{digest.DeliveryRefused, &body.Refused}, {digest.DeliveryDeferred, &body.Deferred}} {
		if *list.into, err = h.store.Deliveries(ctx, e, []digest.DeliveryState{list.state}, 0, deliveryLimit); err != nil {
			return err
		}
	}
	retried := body.Deferred[:0]
	for _, d := range body.Deferred {
		if store.WaitsForWarmup(d.State, d.Reason) {
			body.Warming = append(body.Warming, d)
			continue
		}
		retried = append(retried, d)
	}
	body.Deferred = retried
	if body.Uncertain, err = h.store.EverUncertain(ctx, e, 0, deliveryLimit); err != nil {
		return err
	}
	if body.Articles, err = h.store.ArticlesByID(ctx, e.Articles); err != nil {
		return err
	}
	if body.Feedback, err = h.store.CountFeedback(ctx, e.ID); err != nil {
		return err
	}
	if e.State != digest.Draft {
		if body.Approvals, err = h.store.Approvals(ctx, e.Seq); err != nil {
			return err
		}
		body.Recipients, err = h.engine.EditionRecipients(ctx, e)
		return err
	}
	// The page of a draft that cannot be rendered shows the error.
	if proof, err := h.engine.Proof(ctx, e.ID); store.OfEngine(err) {
		return err
	} else if err != nil {
		body.Problem = err
	} else {
		body.Proof, body.Recipients, body.Articles, body.Findings = &proof, proof.Recipients, proof.Contents, proof.Findings
	}
	return nil
}

// editionMail serves the HTML part of an edition, frozen or draft, for the frames of the
// page.
func (h *Handler) editionMail(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.engine.PreviewEdition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	writeMail(w, withSampleRecipient(v).HTML, true)
	return nil
}
