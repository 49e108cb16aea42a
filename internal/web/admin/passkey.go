package admin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// A passkey (WebAuthn) counts as both factors: the device has the key, and it is used only after the
// device has verified its user. What the browser must sign is kept in the store and used once.

// Limits of passkeys.
const (
	maxPasskeyAnswer     = 64 << 10 // bytes
	challengesPerNetwork = 30       // sign-ins begun with a passkey or at a provider
	challengeInterval    = 10 * time.Second
)

// newPasskeys returns the checker of passkeys for a site, or nil if browsers allow none there: they
// need https, or the host localhost, and a host name in place of an address.
func newPasskeys(c *config.Config) (*webauthn.WebAuthn, error) {
	site, err := url.Parse(c.Site.URL)
	if err != nil {
		return nil, err
	}
	host := site.Hostname()
	if protocol.ValidateRPID(host) != nil || site.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil, nil
	}
	required := true
	return webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: c.Site.Title.String(), RPOrigins: []string{site.Scheme + "://" + site.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
}

// passkeyUser is an editor as the library sees them.
type passkeyUser struct {
	editor      store.Editor
	handle      []byte
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (u *passkeyUser) WebAuthnID() []byte { return u.handle }

// WebAuthnName implements webauthn.User.
func (u *passkeyUser) WebAuthnName() string { return u.editor.Email }

// WebAuthnDisplayName implements webauthn.User.
func (u *passkeyUser) WebAuthnDisplayName() string {
	if u.editor.Name != "" {
		return u.editor.Name
	}
	return u.editor.Email
}

// WebAuthnCredentials implements webauthn.User.
func (u *passkeyUser) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// passkeyUser returns an editor with their passkeys. The handle, which devices keep, is derived from
// the editor's number with a secret, so that it says nothing about them.
func (h *Handler) passkeyUser(ctx context.Context, editor store.Editor) (*passkeyUser, error) {
	secret, err := h.store.Secret(ctx, store.PasskeySecret)
	if err != nil {
		return nil, err
	}
	handle := sha256.Sum256(strconv.AppendInt(slices.Clone(secret), editor.ID, 10))
	user := &passkeyUser{editor: editor, handle: handle[:]}
	keys, err := h.store.Passkeys(ctx, editor.ID)
	for _, key := range keys {
		var one webauthn.Credential
		if err := json.Unmarshal([]byte(key.Record), &one); err != nil {
			return nil, err
		}
		user.credentials = append(user.credentials, one)
	}
	return user, err
}

// passkeyQuestion is what the page's script passes to the browser, and the token of the challenge.
type passkeyQuestion struct {
	Token   string `json:"token"`
	Options string `json:"options"` // in JSON
}

// ask stores a challenge and returns the question for the script.
func (h *Handler) ask(ctx context.Context, purpose store.ChallengePurpose, editor int64, options any, session *webauthn.SessionData) (*passkeyQuestion, error) {
	data, err1 := json.Marshal(session)
	shown, err2 := json.Marshal(options)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	token, err := h.store.AddChallenge(ctx, purpose, editor, string(data))
	return &passkeyQuestion{Token: token, Options: string(shown)}, tooManySignIns(err)
}

// tooManySignIns returns the error page for a challenge that could not be stored.
func tooManySignIns(err error) error {
	if !errors.Is(err, store.ErrTooMany) {
		return err
	}
	return &userError{Status: http.StatusServiceUnavailable, Title: "Too many sign-ins are under way", Text: "Try again in a minute, or use your password.", Link: "/admin/sign-in"}
}

// passkeyOptions answers the script of the sign-in page with a new question. It does not depend on who
// asks.
func (h *Handler) passkeyOptions(w http.ResponseWriter, r *http.Request) error {
	if h.passkeys == nil {
		return store.ErrNotFound
	}
	wait, err := h.store.TakeAttempt(r.Context(), challengeLimit(r))
	if err != nil {
		return err
	}
	if wait > 0 {
		http.Error(w, h.words(w).Translate(tooManyAttempts(w, wait)), http.StatusTooManyRequests)
		return nil
	}
	assertion, session, err := h.passkeys.BeginDiscoverableLogin()
	if err != nil {
		return err
	}
	question, err := h.ask(r.Context(), store.PasskeySignIn, 0, assertion.Response, session)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(question)
}

func challengeLimit(r *http.Request) store.AttemptLimit {
	return store.AttemptLimit{Key: "challenges network " + clientNetwork(r), Burst: challengesPerNetwork, Every: challengeInterval}
}

// passkeySignIn signs an editor in with a passkey.
func (h *Handler) passkeySignIn(w http.ResponseWriter, r *http.Request) error {
	next := adminPath(r.PostFormValue("next"))
	editor, problem, err := h.checkPasskey(r, store.PasskeySignIn, 0, r.PostFormValue("token"), r.PostFormValue("credential"))
	if err != nil {
		return err
	}
	if problem != nil {
		return h.showSignIn(w, r, http.StatusUnauthorized, signInForm{Next: next, Problem: problem})
	}
	return h.signedIn(w, r, editor, store.OwnFactor, next)
}

// The problems of a passkey that is refused, as shown to the editor.
var (
	passkeyTooLate  = words.T("This took too long, or the answer was used already. Try again.")
	passkeyUnknown  = words.T("This passkey is not known here. It may have been removed.")
	passkeyRefused  = words.T("This passkey was refused. Try again, or sign in another way.")
	passkeyCopied   = words.T("This passkey was refused, because its counter went back: it may have been copied. Sign in another way and remove it.")
	passkeyExists   = words.T("This device has a passkey for your account already.")
	passkeyTooMany  = words.T("You have as many passkeys as possible. Remove one first.")
	passkeyNotAdded = words.T("The passkey was not added, because the answer of the browser or device was not valid. Try again.")
)

// checkPasskey checks the answer to a question and returns the editor whose passkey signed it, or the
// problem that is shown, nil if there is none. editor is the one who must have signed, or 0 for any who may sign in.
func (h *Handler) checkPasskey(r *http.Request, purpose store.ChallengePurpose, editor int64, token, answer string) (found store.Editor, problem any, err error) {
	ctx := r.Context()
	refuse := func(problem words.Text, err error) (store.Editor, any, error) {
		h.log.WarnContext(r.Context(), "passkey refused", "editor", found.ID, "client", clientAddress(r), "reason", describeWebAuthn(err))
		return store.Editor{}, problem, nil
	}
	session, problem, err := h.takeChallenge(ctx, purpose, editor, token)
	if err != nil || problem != nil {
		return found, problem, err
	}
	if len(answer) > maxPasskeyAnswer {
		return refuse(passkeyRefused, errors.New("the answer is too long"))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return refuse(passkeyRefused, err)
	}
	key, err := h.store.Passkey(ctx, store.PasskeyID(parsed.RawID))
	if err == nil {
		found, err = h.store.EditorByID(ctx, key.Editor)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return refuse(passkeyUnknown, err)
	case err != nil:
		return found, nil, err
	case !found.Disabled.IsZero() || editor != 0 && found.ID != editor:
		return refuse(passkeyUnknown, errors.New("it is not one of an editor who may use it here"))
	}
	credential, err := h.validatePasskey(ctx, found, session, parsed)
	if err != nil {
		return refuse(passkeyRefused, err)
	}
	if credential.Authenticator.CloneWarning {
		return refuse(passkeyCopied, errors.New("the counter went back"))
	}
	record, err := json.Marshal(credential)
	if err != nil {
		return found, nil, err
	}
	used, err := h.store.UsePasskey(ctx, key, string(record))
	if err == nil && !used {
		return refuse(passkeyRefused, errors.New("it was used or removed at the same time"))
	}
	return found, nil, err
}

// validatePasskey returns the credential with its new counter and flags, or an error if the signature,
// origin, challenge or user is wrong.
func (h *Handler) validatePasskey(ctx context.Context, editor store.Editor, session webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	user, err := h.passkeyUser(ctx, editor)
	if err != nil {
		return nil, err
	}
	if len(session.UserID) > 0 {
		return h.passkeys.ValidateLogin(user, session, parsed)
	}
	return h.passkeys.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return user, nil }, session, parsed)
}

// takeChallenge uses up the challenge of a token, which must be one for the editor.
func (h *Handler) takeChallenge(ctx context.Context, purpose store.ChallengePurpose, editor int64, token string) (session webauthn.SessionData, problem any, err error) {
	if h.passkeys == nil {
		return session, nil, store.ErrNotFound
	}
	owner, data, err := h.store.TakeChallenge(ctx, purpose, token)
	if errors.Is(err, store.ErrNotFound) || err == nil && owner != editor {
		return session, passkeyTooLate, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &session)
	}
	return session, nil, err
}

// describeWebAuthn returns an error of the library with its details, for the log.
func describeWebAuthn(err error) string {
	var detailed *protocol.Error
	if errors.As(err, &detailed) {
		return strings.TrimSpace(detailed.Details + " " + detailed.DevInfo)
	}
	return err.Error()
}
