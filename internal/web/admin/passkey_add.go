package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// maxPasskeyName bounds the names of passkeys, in bytes.
const maxPasskeyName = 60

// passkeyAddPage is the data of the page that adds a passkey.
type passkeyAddPage struct {
	Question *passkeyQuestion
	Name     string
	Problem  any
}

// listedPasskey is a passkey in an editor's list.
type listedPasskey struct {
	store.Passkey
	Synced bool // copied to the other devices of its owner
}

func (h *Handler) listPasskeys(r *http.Request, editor store.Editor) ([]listedPasskey, error) {
	keys, err := h.store.Passkeys(r.Context(), editor.ID)
	var out []listedPasskey
	for _, key := range keys {
		var credential webauthn.Credential
		if err := json.Unmarshal([]byte(key.Record), &credential); err != nil {
			return nil, err
		}
		out = append(out, listedPasskey{key, credential.Flags.BackupState})
	}
	return out, err
}

// newPasskey shows the page on which the browser makes a passkey.
func (h *Handler) newPasskey(w http.ResponseWriter, r *http.Request, session store.Session) error {
	unchanged(r) // until the browser has answered
	return h.showPasskeyAdd(w, r, session, http.StatusOK, passkeyAddPage{Name: truncate(h.words(w).Translate(describeAgent(r.UserAgent())), maxPasskeyName)})
}

func (h *Handler) showPasskeyAdd(w http.ResponseWriter, r *http.Request, session store.Session, status int, body passkeyAddPage) error {
	if h.passkeys == nil {
		return store.ErrNotFound
	}
	user, err := h.passkeyUser(r.Context(), session.Editor)
	if err != nil {
		return err
	}
	creation, data, err := h.passkeys.BeginRegistration(user, webauthn.WithExclusions(webauthn.Credentials(user.credentials).CredentialDescriptors()))
	if err != nil {
		return err
	}
	if body.Question, err = h.ask(r.Context(), store.PasskeyAdd, session.Editor.ID, creation.Response, data); err != nil {
		return err
	}
	return h.show(w, status, "passkey_add", page{Title: "Add a passkey", Nav: "account", Editor: &session.Editor, Script: "passkey.js", Body: body})
}

// addPasskey stores the passkey that the browser made. The challenge proves that the page was opened
// with a recent proof of identity.
func (h *Handler) addPasskey(w http.ResponseWriter, r *http.Request, session store.Session) error {
	name := truncate(subscriber.NormalizeName(r.PostFormValue("name")), maxPasskeyName)
	refuse := func(problem any) error {
		return h.showPasskeyAdd(w, r, session, http.StatusUnprocessableEntity, passkeyAddPage{Name: name, Problem: problem})
	}
	data, problem, err := h.takeChallenge(r.Context(), store.PasskeyAdd, session.Editor.ID, r.PostFormValue("token"))
	if err != nil {
		return err
	}
	if problem != nil { // the page that asks for the proof of identity comes before the next question
		return invalid("The passkey was not added", problem, "/admin/account")
	}
	credential, err := h.createCredential(r, session.Editor, data)
	if err != nil {
		h.log.WarnContext(r.Context(), "new passkey refused", "editor", session.Editor.ID, "client", clientAddress(r), "reason", describeWebAuthn(err))
		return refuse(passkeyNotAdded)
	}
	record, err := json.Marshal(credential)
	if err != nil {
		return err
	}
	if name == "" {
		name = truncate(h.words(w).Translate(describeAgent(r.UserAgent())), maxPasskeyName)
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.passkey", "editor", editorID(session.Editor), "added")
	err = h.store.AddPasskey(ctx, store.Passkey{ID: store.PasskeyID(credential.ID), Editor: session.Editor.ID, Name: name, Record: string(record)})
	switch {
	case errors.Is(err, store.ErrExists):
		return refuse(passkeyExists)
	case errors.Is(err, store.ErrTooMany):
		return refuse(passkeyTooMany)
	case err != nil:
		return err
	}
	if err := h.store.SetSessionFactor(r.Context(), h.sessionToken(r), store.OwnFactor); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor added a passkey", "editor", session.Editor.ID, "client", clientAddress(r))
	h.mailSignInMethod(r, session.Editor, words.T("A passkey was added"), words.T("The passkey “{3}” was added to the account {0} from {1} on {2}."), name)
	return redirectWithFlash(w, r, "/admin/account", "passkey-added")
}

func (h *Handler) createCredential(r *http.Request, editor store.Editor, data webauthn.SessionData) (*webauthn.Credential, error) {
	answer := r.PostFormValue("credential")
	if len(answer) > maxPasskeyAnswer {
		return nil, errors.New("the answer is too long")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, err
	}
	user, err := h.passkeyUser(r.Context(), editor)
	if err != nil {
		return nil, err
	}
	return h.passkeys.CreateCredential(user, data, parsed)
}

// renamePasskey gives one of the editor's passkeys another name.
func (h *Handler) renamePasskey(w http.ResponseWriter, r *http.Request, session store.Session) error {
	name := truncate(subscriber.NormalizeName(r.PostFormValue("name")), maxPasskeyName)
	if name == "" {
		return invalid("The passkey was not renamed", "Write a name by which you recognize the device.", "/admin/account")
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.passkey", "editor", editorID(session.Editor), "renamed")
	if err := h.store.RenamePasskey(ctx, session.Editor.ID, r.PathValue("id"), name); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor renamed a passkey", "editor", session.Editor.ID)
	return redirectWithFlash(w, r, "/admin/account", "passkey-name")
}

// removePasskey removes one of the editor's passkeys.
func (h *Handler) removePasskey(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := errors.Join(h.checkNotLast(r, session.Editor), h.checkFactorLeft(r, session.Editor, 0, 1)); err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.passkey", "editor", editorID(session.Editor), "removed")
	if err := h.store.RemovePasskey(ctx, session.Editor.ID, r.PathValue("id"), h.sessionToken(r)); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor removed a passkey", "editor", session.Editor.ID, "client", clientAddress(r))
	h.mailSignInMethod(r, session.Editor, words.T("A passkey was removed"), words.T("A passkey was removed from the account {0} from {1} on {2}. All other browsers are signed out."))
	return redirectWithFlash(w, r, "/admin/account", "passkey-off")
}

// checkNotLast returns an error if an editor has no password and only one other way to sign in.
func (h *Handler) checkNotLast(r *http.Request, editor store.Editor) error {
	if editor.Password != "" {
		return nil
	}
	keys, err1 := h.store.Passkeys(r.Context(), editor.ID)
	accounts, err2 := h.store.Identities(r.Context(), editor.ID)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if len(keys)+len(accounts) > 1 {
		return nil
	}
	return conflict("This is your only way to sign in", words.Errorf("Add another passkey first, or choose a password with a link from the sign-in page."), "/admin/account")
}
