package admin

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/backoff"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// Limits of requests for a new password: for one address, and from one network.
const (
	forgottenPerAddress = 3
	forgottenPerNetwork = 10
	forgottenInterval   = 10 * time.Minute
)

// forgottenForm is the data of the page for a forgotten password.
type forgottenForm struct {
	Sent    bool
	Problem any
}

func (h *Handler) forgottenPage(w http.ResponseWriter, r *http.Request) error {
	switch off, err := h.passwordsOff(r.Context()); {
	case err != nil:
		return err
	case off:
		return errPasswordsOff
	}
	return h.showForgotten(w, http.StatusOK, forgottenForm{})
}

func (h *Handler) showForgotten(w http.ResponseWriter, status int, form forgottenForm) error {
	return h.show(w, status, "forgotten_password", page{Title: "Forgotten password", Body: form})
}

// forgotten mails an editor a link for a new password. The answer and its time are the same for an
// address without an account.
func (h *Handler) forgotten(w http.ResponseWriter, r *http.Request) error {
	switch off, err := h.passwordsOff(r.Context()); {
	case err != nil:
		return err
	case off:
		return errPasswordsOff
	}
	address, err := subscriber.ParseAddress(truncate(strings.TrimSpace(r.PostFormValue("email")), 254))
	if err != nil {
		return h.showForgotten(w, http.StatusUnprocessableEntity, forgottenForm{Problem: err})
	}
	account := strings.ToLower(address.String())
	wait, err := h.store.TakeAttempt(r.Context(),
		store.AttemptLimit{Key: "forgotten password " + account, Burst: forgottenPerAddress, Every: forgottenInterval},
		store.AttemptLimit{Key: "forgotten password network " + clientNetwork(r), Burst: forgottenPerNetwork, Every: forgottenInterval})
	if err != nil {
		return err
	}
	if wait > 0 {
		return h.showForgotten(w, http.StatusTooManyRequests, forgottenForm{Problem: tooManyAttempts(w, wait)})
	}
	payload, err := json.Marshal(forgottenRequest{account, clientAddress(r)})
	if err != nil {
		return err
	}
	if _, err := h.store.Enqueue(r.Context(), store.Job{Kind: forgottenKind, Key: uuid.NewString(), Payload: payload, About: address}); err != nil {
		return err
	}
	return h.showForgotten(w, http.StatusOK, forgottenForm{Sent: true})
}

// forgottenKind is the kind of the jobs of these requests. A job is stored for every address and
// carried out after the answer, so that the time of the answer tells nothing.
const forgottenKind = "forgotten-password"

// forgottenRequest is the payload of such a job.
type forgottenRequest struct {
	Account string
	Client  string // address of the client, for the mail
}

const (
	forgottenLease = time.Minute
	forgottenTries = 5
	forgottenPoll  = time.Second // average; jitter of half of it
)

// Run carries out requests for new passwords and runs of doctor until the context ends, also those that
// other nodes and earlier processes have left.
func (h *Handler) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { h.runDoctors(ctx) })
	for ctx.Err() == nil {
		select {
		case <-time.After(forgottenPoll/2 + rand.N(forgottenPoll)):
		case <-ctx.Done():
			return
		}
		if err := h.handleForgotten(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("requests for new passwords not processed; trying again", "error", err)
		}
	}
}

// handleForgotten carries out the requests that are due, and deletes them.
func (h *Handler) handleForgotten(ctx context.Context) error {
	for {
		jobs, err := h.store.ClaimJobs(ctx, []string{forgottenKind}, 1, forgottenLease)
		if err != nil || len(jobs) == 0 {
			return err
		}
		var request forgottenRequest
		if err = json.Unmarshal(jobs[0].Payload, &request); err == nil {
			err = h.mailResetLink(ctx, request)
		}
		if err != nil && jobs[0].Tries < forgottenTries {
			h.log.Warn("request for a new password failed; it will be tried again", "error", err)
			err = h.store.RetryJob(ctx, jobs[0], backoff.Delay(10*time.Second, time.Hour, jobs[0].Tries), "tried again")
		} else {
			if err != nil {
				h.log.Error("request for a new password given up", "error", err)
			}
			err = h.store.DropJob(ctx, jobs[0])
		}
		if err != nil {
			return err
		}
	}
}

// mailResetLink mails an editor a link for a new password. It does nothing for an address without
// an account that may sign in.
func (h *Handler) mailResetLink(ctx context.Context, request forgottenRequest) error {
	client := request.Client
	editor, err := h.store.EditorByEmail(ctx, request.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && !editor.Disabled.IsZero() {
		h.log.Info("a new password was asked for, for an address without an account", "client", client)
		return nil
	}
	if err != nil {
		return err
	}
	link, err := ResetLink(ctx, h.store, h.config.Site.URL, editor, 0)
	if err != nil {
		return err
	}
	h.log.Info("editor asked for a new password", "editor", editor.ID, "client", client)
	return h.engine.MailEditors(ctx, []string{editor.Email}, delivery.EditorMail{
		Heading: words.T("{0} · {1}", words.T("Choose a new password"), h.config.Site.Title.String()),
		Lines: []words.Text{
			words.T("Someone asked for a new password for {0}, from {1} on {2}.", editor.Email, client, h.today()),
			words.T("The link works once, for one day. Until then your present password stays. If this was not you, ignore this email."),
		},
		Link: link, Button: words.T("Choose a new password"), Language: editor.Language,
	})
}
