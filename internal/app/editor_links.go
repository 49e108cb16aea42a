package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// FirstOwnerLink returns the one-time link for the first editor, "" when there is an editor.
func (s *Service) FirstOwnerLink(ctx context.Context) (string, error) {
	return admin.SetupLink(ctx, s.Store, s.Config.Site.URL)
}

// EditorLink returns a one-time link that invites an editor: anyone who opens it, or the person
// with an address. The first editor becomes the owner.
func (s *Service) EditorLink(ctx context.Context, email string, role store.Role) (string, error) {
	link, err := s.FirstOwnerLink(ctx)
	if link != "" || err != nil {
		return link, err
	}
	return admin.InviteLink(ctx, s.Store, s.Config.Site.URL, admin.Invitation{Email: email, Role: role})
}

// PasswordLink returns a one-time link with which an editor sets a new password.
func (s *Service) PasswordLink(ctx context.Context, email string) (string, error) {
	editor, err := s.FindEditor(ctx, email)
	if err != nil {
		return "", err
	}
	if !editor.Disabled.IsZero() {
		return "", fmt.Errorf("%s may not sign in; enable the account first with \"tidings editor enable %s\"", editor.Email, editor.Email)
	}
	return admin.ResetLink(ctx, s.Store, s.Config.Site.URL, editor, 0)
}

// RemoveSecondFactor turns an editor's two-step sign-in off, and signs them out everywhere. The editor gets a mail.
func (s *Service) RemoveSecondFactor(ctx context.Context, email string) error {
	editor, err := s.FindEditor(ctx, email)
	if err == nil {
		err = s.Store.RemoveSecondFactor(ctx, editor.ID, "")
	}
	if err == nil {
		s.mailSignInMethodsRemoved(ctx, editor, false)
	}
	return err
}

// RemoveSignInMethods removes everything but the password with which an editor can sign in. The editor gets a mail.
func (s *Service) RemoveSignInMethods(ctx context.Context, email string) error {
	editor, err := s.FindEditor(ctx, email)
	if err == nil {
		err = s.Store.RemoveSignInMethods(ctx, editor.ID)
	}
	if err == nil {
		s.mailSignInMethodsRemoved(ctx, editor, true)
	}
	return err
}

// mailSignInMethodsRemoved queues the mail about a removal. An error is only logged, since the change has already been
// made, also when no relay is configured.
func (s *Service) mailSignInMethodsRemoved(ctx context.Context, editor store.Editor, all bool) {
	engine, err := s.Engine(ctx)
	if err == nil {
		err = admin.MailSignInMethodsRemoved(ctx, engine, s.Config.Site, editor, s.Store.Now().In(s.Zone()), all)
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "mail to an editor not queued", "editor", editor.ID, "error", err)
	}
}

// FindEditor finds an editor by address.
func (s *Service) FindEditor(ctx context.Context, email string) (store.Editor, error) {
	editor, err := s.Store.EditorByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("no editor has the address %s; \"tidings editor list\" shows them", email)
	}
	return editor, err
}
