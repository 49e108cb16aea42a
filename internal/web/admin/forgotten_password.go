package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
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
	Problem string
}

func (h *Handler) forgottenPage(w http.ResponseWriter, _ *http.Request) error {
	return h.showForgotten(w, http.StatusOK, forgottenForm{})
}

func (h *Handler) showForgotten(w http.ResponseWriter, status int, form forgottenForm) error {
	return h.show(w, status, "forgotten_password", page{Title: "Forgotten password", Body: form})
}

// forgotten mails an editor a link for a new password. The answer and its time are the same for an
// address without an account.
func (h *Handler) forgotten(w http.ResponseWriter, r *http.Request) error {
	address, err := subscriber.ParseAddress(truncate(strings.TrimSpace(r.PostFormValue("email")), 254))
	if err != nil {
		return h.showForgotten(w, http.StatusUnprocessableEntity, forgottenForm{Problem: err.Error()})
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
	ctx, client := context.WithoutCancel(r.Context()), clientAddress(r)
	h.background.Go(func() {
		if err := h.mailResetLink(ctx, account, client); err != nil {
			h.log.Error("mail for a new password not queued", "error", err)
		}
	})
	return h.showForgotten(w, http.StatusOK, forgottenForm{Sent: true})
}

// mailResetLink mails an editor a link for a new password. It does nothing for an address without
// an account that may sign in.
func (h *Handler) mailResetLink(ctx context.Context, account, client string) error {
	editor, err := h.store.EditorByEmail(ctx, account)
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
		Heading: "Choose a new password · " + h.config.Site.Title.String(),
		Lines: []string{
			"Someone asked for a new password for " + editor.Email + ", from " + client + h.onDate() + ".",
			"The link works once, for one day. Until then your present password stays. If this was not you, ignore this email.",
		},
		Link: link, Button: "Choose a new password",
	})
}
