package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// providerStartPage is the data of the page that leads to the provider.
type providerStartPage struct {
	Label string
	URL   string
}

// The problems of a sign-in at the provider, as shown to the editor.
var (
	providerTooLate     = words.T("Signing in took too long, or began in another browser. Try again.")
	providerRefused     = words.T("The sign-in at {0} did not succeed. Try again, or sign in another way.")
	providerNotVerified = words.T("{0} has not verified your email address. Verify it there, and try again.")
	providerForeign     = words.T("Addresses of your domain may not sign in here.")
	providerNotLinked   = words.T("Your account here is not linked to {0} yet. Sign in another way in this browser first, and then with {0}.")
	providerNoRole      = words.T("None of your groups at {0} has a role here. Ask the people who manage them there.")
	providerNoAccount   = words.T("You have no account here. Ask an owner for an invitation to {0}.")
)

// beginProvider sends a visitor to the provider to sign in.
func (h *Handler) beginProvider(w http.ResponseWriter, r *http.Request) error {
	return h.askProvider(w, r, store.Editor{}, adminPath(r.PostFormValue("next")))
}

// beginProof sends an editor to the provider to prove who they are, and then back to the page that they
// came from.
func (h *Handler) beginProof(w http.ResponseWriter, r *http.Request, session store.Session) error {
	unchanged(r)
	next := "/admin/account"
	if from, err := url.Parse(r.PostFormValue("next")); err == nil && from.Path != "" {
		next = adminPath(from.Path)
	}
	return h.askProvider(w, r, session.Editor, next)
}

// askProvider stores a challenge and shows the page that leads to the provider. A redirect would not do:
// the content security policy lets forms lead to this site only, and a provider may redirect further.
func (h *Handler) askProvider(w http.ResponseWriter, r *http.Request, editor store.Editor, next string) error {
	if h.provider == nil {
		return store.ErrNotFound
	}
	wait, err := h.store.TakeAttempt(r.Context(), challengeLimit(r))
	if err != nil {
		return err
	}
	if wait > 0 {
		return h.showSignIn(w, r, http.StatusTooManyRequests, signInForm{Next: next, Problem: tooManyAttempts(w, wait)})
	}
	ask := providerAsk{Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next, Began: h.store.Now()}
	data, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	state, err := h.store.AddChallenge(r.Context(), store.ProviderSignIn, editor.ID, string(data))
	if err != nil {
		return tooManySignIns(err)
	}
	address, err := h.provider.address(r.Context(), state, ask, editor.ID != 0)
	if err != nil {
		h.log.ErrorContext(r.Context(), "sign-in provider not reached", "issuer", h.provider.config.Issuer, "error", err)
		return &userError{http.StatusBadGateway, "The sign-in provider does not answer", "Try again in a moment, or sign in another way. The cause is in the log of the server.", "/admin/sign-in", "Sign in"}
	}
	h.setProviderCookie(w, state, 10*time.Minute)
	w.Header().Set("Refresh", "0; url="+address)
	return h.show(w, http.StatusOK, "provider_start", page{Title: "Sign in", Body: providerStartPage{h.provider.config.Label, address}})
}

// The state of a sign-in at the provider is also in a cookie, so that the response counts only in the
// browser that asked.
func (h *Handler) providerCookie() string { return h.cookieName() + "-provider" }

func (h *Handler) setProviderCookie(w http.ResponseWriter, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: h.providerCookie(), Value: value, Path: h.cookiePath(), MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode,
	})
}

// finishProvider handles the browser that comes back from the provider. It is a GET that changes
// something, as OpenID Connect has it; the state is used once and only in its browser.
func (h *Handler) finishProvider(w http.ResponseWriter, r *http.Request) error {
	if h.provider == nil {
		return store.ErrNotFound
	}
	label := h.provider.config.Label
	refuse := func(next string, problem words.Text, err error) error {
		h.log.WarnContext(r.Context(), "sign-in at the provider refused", "client", clientAddress(r), "reason", err)
		return h.showSignIn(w, r, http.StatusUnauthorized, signInForm{Next: next, Problem: problem})
	}
	editor, ask, err := h.takeProviderAsk(r)
	h.setProviderCookie(w, "", -time.Second)
	if errors.Is(err, store.ErrNotFound) {
		return refuse("/admin/", providerTooLate, err)
	}
	if err != nil {
		return err
	}
	claims, err := h.provider.claims(r, ask)
	if err == nil {
		err = h.provider.check(claims)
	}
	switch {
	case errors.Is(err, errEmailNotVerified):
		return refuse(ask.Next, words.T(providerNotVerified.English, label), err)
	case errors.Is(err, errDomainNotAllowed):
		return refuse(ask.Next, providerForeign, err)
	case err != nil:
		return refuse(ask.Next, words.T(providerRefused.English, label), err)
	case editor != 0:
		return h.finishProof(w, r, editor, ask, claims)
	}
	found, err := h.providerEditor(r, claims)
	switch {
	case errors.Is(err, errNotLinked):
		return refuse(ask.Next, words.T(providerNotLinked.English, label), err)
	case errors.Is(err, store.ErrNotFound):
		return refuse(ask.Next, words.T(providerNoAccount.English, claims.Email), err)
	}
	if err != nil {
		return err
	}
	found, err = h.followGroups(r, found, claims.Groups)
	if errors.Is(err, errNoRole) {
		return refuse(ask.Next, words.T(providerNoRole.English, label), err)
	}
	if err != nil {
		return err
	}
	return h.finishSignIn(w, r, found, claims.factor(), ask.Next)
}

// errNoRole refuses to sign in someone whose groups at the provider have no role here.
var errNoRole = errors.New("no group of the account has a role")

// followGroups gives an editor the role that their groups at the provider have, if roles are configured.
// Someone whose groups have none becomes a viewer, and the error is errNoRole. The last owner who can sign in
// keeps the role.
func (h *Handler) followGroups(r *http.Request, editor store.Editor, groups []string) (store.Editor, error) {
	if h.provider.config.Roles.Empty() {
		return editor, nil
	}
	role, refused := h.provider.roleOf(groups), error(nil)
	if role == noSession {
		role, refused = store.ViewerRole, errNoRole
	}
	if role == editor.Role {
		return editor, refused
	}
	ctx := h.auditing(r.Context(), editor, "people.role", "editor", editorID(editor), editor.Email+": "+string(role)+", by groups at "+h.provider.config.Label)
	changed, err := h.store.SetRole(ctx, editor.ID, role)
	if errors.Is(err, store.ErrLastOwner) {
		h.log.WarnContext(r.Context(), "the last owner keeps the role, which their groups at the provider do not have", "editor", editor.ID, "role", role)
		return editor, nil
	}
	if err != nil {
		return editor, err
	}
	h.log.InfoContext(r.Context(), "role changed by groups at the provider", "editor", editor.ID, "role", role)
	return changed, refused
}

// takeProviderAsk uses up the challenge of a response, which must have come to the browser that asked.
func (h *Handler) takeProviderAsk(r *http.Request) (editor int64, ask providerAsk, err error) {
	state := r.URL.Query().Get("state")
	cookie, err := r.Cookie(h.providerCookie())
	if err != nil || state == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 {
		return 0, ask, store.ErrNotFound
	}
	editor, data, err := h.store.TakeChallenge(r.Context(), store.ProviderSignIn, state)
	if err == nil {
		err = json.Unmarshal([]byte(data), &ask)
	}
	return editor, ask, err
}

// providerEditor returns the editor of an account at the provider: the one it is linked to, the one with
// its verified address, who is linked now, or a new one with an invitation to the address. ErrNotFound
// reports that there is none who may sign in.
func (h *Handler) providerEditor(r *http.Request, claims providerClaims) (store.Editor, error) {
	ctx, issuer := r.Context(), h.provider.config.Issuer
	known, err := h.store.Identity(ctx, issuer, claims.Subject)
	if err == nil {
		return h.knownAccount(ctx, known, claims.Email)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return store.Editor{}, err
	}
	address, err := subscriber.ParseAddress(claims.Email)
	if err != nil {
		return store.Editor{}, store.ErrNotFound
	}
	account := store.Identity{Issuer: issuer, Subject: claims.Subject, Email: address.String()}
	editor, err := h.store.EditorByEmail(ctx, address.String())
	switch {
	case errors.Is(err, store.ErrNotFound):
		editor = store.Editor{Email: address.String(), Name: subscriber.NormalizeName(truncate(claims.Name, 100))}
		editor, err = h.store.CreateInvitedEditor(h.auditing(ctx, editor, "people.join", "editor", "", ""), editor, account)
		if err == nil {
			h.log.InfoContext(r.Context(), "editor created", "editor", editor.ID, "role", editor.Role, "client", clientAddress(r), "issuer", issuer)
		}
		return editor, err
	case err != nil:
		return editor, err
	case !editor.Disabled.IsZero():
		return editor, store.ErrNotFound
	}
	if err := h.mayLink(r, editor); err != nil {
		return editor, err
	}
	account.Editor = editor.ID
	if err := h.store.LinkIdentity(h.auditing(ctx, editor, "account.provider", "editor", editorID(editor), "linked"), account); err != nil {
		return editor, err
	}
	h.log.InfoContext(r.Context(), "account at the provider linked", "editor", editor.ID, "client", clientAddress(r), "issuer", issuer)
	h.mailSignInMethod(r, editor, words.T("A sign-in provider was linked"), words.T("The provider “{3}” can sign in to the account {0} from now on. It was linked from {1} on {2}."), h.provider.config.Label)
	return editor, nil
}

// errNotLinked refuses to link an account at the provider to an editor with the same address.
var errNotLinked = errors.New("the editor has not signed in in this browser")

// mayLink returns errNotLinked unless the editor has signed in in this browser, or has no other way to
// sign in. Editors choose their addresses, so an account may have the address of someone else, who would
// then work in the account of a stranger.
func (h *Handler) mayLink(r *http.Request, editor store.Editor) error {
	if _, known := h.knownBrowser(r, editor); known {
		return nil
	}
	off, err := h.passwordsOff(r.Context())
	if err != nil {
		return err
	}
	keys, err := h.store.Passkeys(r.Context(), editor.ID)
	if err == nil && (len(keys) > 0 || editor.Password != "" && !off) {
		err = errNotLinked
	}
	if err != nil {
		return err
	}
	return h.store.EndOtherSessions(r.Context(), editor.ID, "")
}

func (h *Handler) knownAccount(ctx context.Context, known store.Identity, email string) (store.Editor, error) {
	editor, err := h.store.EditorByID(ctx, known.Editor)
	if err == nil && !editor.Disabled.IsZero() {
		err = store.ErrNotFound
	}
	if err != nil {
		return editor, err
	}
	return editor, h.store.UseIdentity(ctx, known.ID, truncate(email, 254))
}

// finishProof records a proof of identity in the session of an editor who has just signed in at the
// provider with an account that is linked to them.
func (h *Handler) finishProof(w http.ResponseWriter, r *http.Request, editor int64, ask providerAsk, claims providerClaims) error {
	session, err := h.session(r)
	if err != nil || session.Editor.ID != editor {
		return errors.Join(err, store.ErrNotFound)
	}
	known, err := h.store.Identity(r.Context(), h.provider.config.Issuer, claims.Subject)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	old := claims.AuthTime != 0 && time.Unix(claims.AuthTime, 0).Before(ask.Began.Add(-time.Minute))
	if err != nil || known.Editor != editor || old {
		h.log.WarnContext(r.Context(), "proof of identity at the provider refused", "editor", editor, "client", clientAddress(r), "old", old)
		return invalid("Not confirmed", "The provider confirmed another account, or an old sign-in. Nothing was changed.", ask.Next)
	}
	if err := h.store.ProveSession(r.Context(), h.sessionToken(r)); err != nil {
		return err
	}
	return redirectWithFlash(w, r, ask.Next, "proved")
}

// removeIdentity removes an account at a provider from the editor.
func (h *Handler) removeIdentity(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.checkNotLast(r, session.Editor); err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.provider", "editor", editorID(session.Editor), "removed")
	if err := h.store.RemoveIdentity(ctx, session.Editor.ID, r.PathValue("id"), h.sessionToken(r)); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor removed an account at a provider", "editor", session.Editor.ID, "client", clientAddress(r))
	h.mailSignInMethod(r, session.Editor, words.T("A sign-in provider was removed"), words.T("A sign-in provider was removed from the account {0} from {1} on {2}. All other browsers are signed out."))
	return redirectWithFlash(w, r, "/admin/account", "provider-off")
}

// passwordsOff reports whether passwords sign no one in: the configuration says so, and an owner has
// signed in without one, so that the site is not left without a way in.
func (h *Handler) passwordsOff(ctx context.Context) (bool, error) {
	if h.config.Admin.SignIn.Password {
		return false, nil
	}
	return h.store.OwnerSignsInWithoutPassword(ctx, h.config.Admin.SignIn.OIDC.Issuer)
}

// errPasswordsOff is the page for actions with passwords while they are off.
var errPasswordsOff = &userError{http.StatusForbidden, "Passwords are off", "On this site, editors sign in with a passkey or at the sign-in provider.", "/admin/sign-in", "Sign in"}
