package admin

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// listed is how many deliveries of a kind a page lists.
const listed = 50

// editionPage is an edition: how far it is, what one can do, and what went wrong.
type editionPage struct {
	progress
	Articles   []article.Article
	Review     *delivery.Review // of a draft that can be sent
	Broken     string           // why a draft cannot be sent
	Refused    []store.AddressedDelivery
	Deferred   []store.AddressedDelivery
	InDoubt    []store.AddressedDelivery    // or were so, and may have come twice
	Back       map[store.FeedbackKind]int64 // what came back since
	Recipients delivery.Recipients          // who gets it, and who is skipped
}

// progress is the part of an edition's page that lives.
type progress struct {
	delivery.Progress
	Title string
}

// Done is how many readers are dealt with.
func (p progress) Done() int64 { return p.Counts.Total - p.Counts.Open() }

// Share is Done of all, in words.
func (p progress) Share() string { return share(p.Done(), p.Counts.Total) }

// Moves says whether mails go out at the moment, or will without an editor.
func (p progress) Moves() bool {
	return p.Edition.State == digest.Approved || p.Edition.State == digest.Sending
}

// Doubtful says whether the edition waits for an editor's word on mails in doubt.
func (p progress) Doubtful() bool { return p.Counts.Uncertain > 0 && p.Idle() }

// Can says what an editor can do with the edition.
func (p progress) Can(action string) bool {
	next := map[string]digest.State{"approve": digest.Approved, "pause": digest.Paused, "resume": digest.Sending, "cancel": digest.Cancelled}[action]
	if action == "resume" && p.Edition.State != digest.Paused {
		return false
	}
	return p.Edition.State.CanBecome(next)
}

func (h *Handler) edition(w http.ResponseWriter, r *http.Request, session store.Session) error {
	p, err := h.engine.Progress(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	body := editionPage{progress: progress{p, h.title(p.Edition.Digest)}}
	if err := h.fill(r.Context(), &body); err != nil {
		return err
	}
	v := page{Title: p.Edition.Subject, Nav: "dashboard", Editor: &session.Editor, Notice: notice(r), Live: !p.Edition.State.Final(), Body: body}
	v.Refresh = body.Moves()
	return h.show(w, http.StatusOK, "edition_show", v)
}

func (h *Handler) fill(ctx context.Context, body *editionPage) (err error) {
	e := body.Edition
	for _, part := range []struct {
		state digest.DeliveryState
		into  *[]store.AddressedDelivery
	}{{digest.DeliveryRefused, &body.Refused}, {digest.DeliveryDeferred, &body.Deferred}} {
		if *part.into, err = h.store.Deliveries(ctx, e, []digest.DeliveryState{part.state}, 0, listed); err != nil {
			return err
		}
	}
	if body.InDoubt, err = h.store.EverUncertain(ctx, e, 0, listed); err != nil {
		return err
	}
	if body.Articles, err = h.store.ArticlesByID(ctx, e.Articles); err != nil {
		return err
	}
	if body.Back, err = h.store.CountFeedback(ctx, e.ID); err != nil {
		return err
	}
	if e.State == digest.Draft {
		// A draft that cannot be rendered still has a page, which says why.
		if review, err := h.engine.Review(ctx, e.ID); err != nil {
			body.Broken = err.Error()
		} else {
			body.Review, body.Recipients = &review, review.Recipients
		}
		return nil
	}
	body.Recipients, err = h.engine.EditionRecipients(ctx, e)
	return err
}

// editionMail is the mail of an edition, frozen or still a draft, as it stands in its
// frame.
func (h *Handler) editionMail(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	v, err := h.engine.PreviewEdition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	showMail(w, asSeen(v).HTML)
	return nil
}
