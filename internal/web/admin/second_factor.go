package admin

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// The second factor is a code of six digits from an authenticator app, new every 30 seconds
// (RFC 6238). The codes of the step before and after the present one are right too, for clocks that
// differ.
const (
	factorStep       = 30 * time.Second
	codeLinkAge      = 10 * time.Minute // from the password to the code
	attemptsPerCodes = 5                // codes for one account
	recoveryCodes    = 10
)

// codeRefused is the problem of a wrong code, as shown to the editor.
var codeRefused = words.T("This code is wrong or was used already. Enter the code that your app shows now.")

// secondFactorPage is the data of the page that sets up the second factor.
type secondFactorPage struct {
	Secret   string // in groups of four characters
	Picture  template.URL
	Problem  any
	Recovery []string // the new recovery codes, shown once
}

// codeForm is the data of the page that asks for a code after the password.
type codeForm struct {
	Token   string // stands for the right password
	Next    string
	Problem any
}

// finishSignIn signs in an editor whose password was right, or who comes from the provider: at once, or after
// the code of the second factor. factor is the one that the provider vouches for.
func (h *Handler) finishSignIn(w http.ResponseWriter, r *http.Request, editor store.Editor, factor store.SessionFactor, next string) error {
	needed, err := h.secondFactorOf(r, editor)
	if err != nil {
		return err
	}
	if !needed {
		return h.signedIn(w, r, editor, factor, next)
	}
	token, err := h.store.CreateLink(r.Context(), store.Link{Purpose: store.CodeLink, Editor: editor.ID}, codeLinkAge)
	if err != nil {
		return err
	}
	return h.showCode(w, http.StatusOK, codeForm{Token: token, Next: next})
}

func (h *Handler) showCode(w http.ResponseWriter, status int, form codeForm) error {
	return h.show(w, status, "sign_in_code", page{Title: "Enter your code", Body: form})
}

// signedIn starts a session and mails the editor about a browser that is new.
func (h *Handler) signedIn(w http.ResponseWriter, r *http.Request, editor store.Editor, factor store.SessionFactor, next string) error {
	h.log.InfoContext(r.Context(), "editor signed in", "editor", editor.ID, "client", clientAddress(r))
	if _, known := h.knownBrowser(r, editor); !known {
		h.mailNewBrowser(r, editor)
	}
	return h.startSession(w, r, editor, factor, next)
}

// signInCode signs an editor in with the code of the second factor or a recovery code.
func (h *Handler) signInCode(w http.ResponseWriter, r *http.Request) error {
	form := codeForm{Token: r.PostFormValue("token"), Next: adminPath(r.PostFormValue("next"))}
	link, err := h.store.Link(r.Context(), form.Token)
	if err == nil && link.Purpose != store.CodeLink {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return h.showSignIn(w, r, http.StatusUnauthorized, signInForm{Next: form.Next, Problem: words.T("Signing in took too long. Enter your password again.")})
	}
	if err != nil {
		return err
	}
	problem, status, err := h.checkCode(w, r, link.Editor, r.PostFormValue("code"))
	if err != nil {
		return err
	}
	if problem != nil {
		form.Problem = problem
		return h.showCode(w, status, form)
	}
	editor, err := h.store.UseCodeLink(r.Context(), form.Token)
	if err != nil {
		return linkError(err)
	}
	return h.signedIn(w, r, editor, store.OwnFactor, form.Next)
}

// checkCode uses up a code or recovery code of an editor. It returns nil if the code was right, or else the
// problem as shown to the editor and the status of the response. Attempts are limited.
func (h *Handler) checkCode(w http.ResponseWriter, r *http.Request, editor int64, text string) (problem any, status int, err error) {
	limit := store.AttemptLimit{Key: fmt.Sprint("code of editor ", editor), Burst: attemptsPerCodes, Every: retryInterval}
	wait, err := h.store.TakeAttempt(r.Context(), limit)
	if err != nil {
		return nil, 0, err
	}
	if wait > 0 {
		return tooManyAttempts(w, wait), http.StatusTooManyRequests, nil
	}
	text = strings.NewReplacer(" ", "", "-", "").Replace(truncate(text, 100))
	factor, err := h.store.SecondFactor(r.Context(), editor)
	if err != nil {
		return nil, 0, err
	}
	ok := false
	step, found := h.stepOf(factor.Secret, text)
	if found {
		ok, err = h.store.UseFactorStep(r.Context(), editor, step)
	} else {
		ok, err = h.store.UseRecoveryCode(r.Context(), editor, strings.ToUpper(text))
	}
	switch {
	case err != nil:
		return nil, 0, err
	case ok:
		return nil, 0, h.store.ReturnAttempt(r.Context(), limit)
	}
	h.log.WarnContext(r.Context(), "code refused", "editor", editor, "client", clientAddress(r), "used_before", found)
	if found {
		err = h.mailCodeUsedAgain(r, editor)
	}
	return codeRefused, http.StatusUnauthorized, err
}

// mailCodeUsedAgain notifies an editor of a right code that was entered again: someone may have seen it
// (OWASP ASVS 4.0.3, section 2.8.5).
func (h *Handler) mailCodeUsedAgain(r *http.Request, id int64) error {
	wait, err := h.store.TakeAttempt(r.Context(), store.AttemptLimit{Key: fmt.Sprint("mail about a used code of editor ", id), Burst: 1, Every: 10 * time.Minute})
	if wait > 0 || err != nil {
		return err
	}
	editor, err := h.store.EditorByID(r.Context(), id)
	if err == nil {
		h.mailSignInMethod(r, editor, words.T("A code was entered again"), words.T("A code of the two-step sign-in of {0} that was used before was entered again, from {1} on {2}. It was refused."))
	}
	return err
}

// stepOf returns the step of a code, if it is that of the present step, the one before or the one
// after.
func (h *Handler) stepOf(secret, code string) (step int64, found bool) {
	for offset := int64(-1); offset <= 1; offset++ {
		at := h.store.Now().Add(time.Duration(offset) * factorStep)
		want, err := totp.GenerateCode(secret, at)
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return at.Unix() / int64(factorStep/time.Second), true
		}
	}
	return 0, false
}

// startSecondFactor makes a new secret and shows it.
func (h *Handler) startSecondFactor(w http.ResponseWriter, r *http.Request, session store.Session) error {
	key, err := h.factorKey(session.Editor, rand.Text())
	if err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.factor", "editor", editorID(session.Editor), "begun")
	if err := h.store.StartSecondFactor(ctx, session.Editor.ID, key.Secret()); err != nil {
		return secondFactorExists(err)
	}
	return h.showSecondFactor(w, session, http.StatusOK, key, nil)
}

// factorKey returns the key with a secret in base32, as apps read it.
func (h *Handler) factorKey(editor store.Editor, secret string) (*otp.Key, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return nil, err
	}
	return totp.Generate(totp.GenerateOpts{Issuer: h.config.Site.Title.String(), AccountName: editor.Email, Secret: raw})
}

func secondFactorExists(err error) error {
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	return conflict("Two-step sign-in is on", words.Errorf("turn it off first to use another app"), "/admin/account")
}

func (h *Handler) showSecondFactor(w http.ResponseWriter, session store.Session, status int, key *otp.Key, problem any) error {
	picture, err := key.Image(240, 240)
	if err != nil {
		return err
	}
	var data bytes.Buffer
	if err := png.Encode(&data, picture); err != nil {
		return err
	}
	body := secondFactorPage{Problem: problem, Picture: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(data.Bytes()))} //nolint:gosec // our own picture
	for secret := key.Secret(); secret != ""; secret = secret[min(4, len(secret)):] {
		body.Secret += secret[:min(4, len(secret))] + " "
	}
	body.Secret = strings.TrimSpace(body.Secret)
	return h.show(w, status, "second_factor", page{Title: "Two-step sign-in", Nav: "account", Editor: &session.Editor, Body: body})
}

// confirmSecondFactor turns the second factor on, once the app shows a right code, and shows the
// recovery codes.
func (h *Handler) confirmSecondFactor(w http.ResponseWriter, r *http.Request, session store.Session) error {
	factor, err := h.store.SecondFactor(r.Context(), session.Editor.ID)
	if err != nil {
		return err
	}
	step, found := h.stepOf(factor.Secret, strings.ReplaceAll(truncate(r.PostFormValue("code"), 100), " ", ""))
	if !found {
		key, err := h.factorKey(session.Editor, factor.Secret)
		if err != nil {
			return err
		}
		return h.showSecondFactor(w, session, http.StatusUnprocessableEntity, key, words.T("This code is wrong. Check that the clock of your phone is right, and enter the code that the app shows now."))
	}
	codes := newRecoveryCodes()
	ctx := h.auditing(r.Context(), session.Editor, "account.factor", "editor", editorID(session.Editor), "on")
	if err := h.store.ConfirmSecondFactor(ctx, session.Editor.ID, step, codes, h.sessionToken(r)); err != nil {
		return err
	}
	if err := h.store.SetSessionFactor(r.Context(), h.sessionToken(r), store.OwnFactor); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor turned two-step sign-in on", "editor", session.Editor.ID, "client", clientAddress(r))
	h.mailSignInMethod(r, session.Editor, words.T("Two-step sign-in was turned on"), words.T("Two-step sign-in was turned on for the account {0} from {1} on {2}. All other browsers are signed out."))
	return h.showRecoveryCodes(w, session, codes)
}

func (h *Handler) showRecoveryCodes(w http.ResponseWriter, session store.Session, codes []string) error {
	shown := make([]string, len(codes))
	for i, code := range codes {
		shown[i] = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	}
	return h.show(w, http.StatusOK, "second_factor", page{Title: "Recovery codes", Nav: "account", Editor: &session.Editor, Body: secondFactorPage{Recovery: shown}})
}

// renewRecoveryCodes replaces the recovery codes and shows the new ones.
func (h *Handler) renewRecoveryCodes(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if on, err := h.secondFactorOf(r, session.Editor); err != nil || !on {
		return errors.Join(err, store.ErrNotFound)
	}
	codes := newRecoveryCodes()
	ctx := h.auditing(r.Context(), session.Editor, "account.recovery-codes", "editor", editorID(session.Editor), "")
	if err := h.store.ReplaceRecoveryCodes(ctx, session.Editor.ID, codes); err != nil {
		return err
	}
	h.mailSignInMethod(r, session.Editor, words.T("Your recovery codes were replaced"), words.T("New recovery codes for the account {0} were made from {1} on {2}. The earlier ones no longer work."))
	return h.showRecoveryCodes(w, session, codes)
}

// removeSecondFactor turns the second factor off.
func (h *Handler) removeSecondFactor(w http.ResponseWriter, r *http.Request, session store.Session) error {
	if err := h.checkFactorLeft(r, session.Editor, 1, 0); err != nil {
		return err
	}
	ctx := h.auditing(r.Context(), session.Editor, "account.factor", "editor", editorID(session.Editor), "off")
	if err := h.store.RemoveSecondFactor(ctx, session.Editor.ID, h.sessionToken(r)); err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "editor turned two-step sign-in off", "editor", session.Editor.ID, "client", clientAddress(r))
	h.mailSignInMethod(r, session.Editor, words.T("Two-step sign-in was turned off"), words.T("Two-step sign-in was turned off for the account {0} from {1} on {2}. All other browsers are signed out."))
	return redirectWithFlash(w, r, "/admin/account", "factor-off")
}

// secondFactorOf reports whether an editor uses a second factor.
func (h *Handler) secondFactorOf(r *http.Request, editor store.Editor) (bool, error) {
	factor, err := h.store.SecondFactor(r.Context(), editor.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return !factor.Confirmed.IsZero(), err
}

// newRecoveryCodes returns codes of 16 characters, 80 bits each.
func newRecoveryCodes() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = rand.Text()[:16]
	}
	return codes
}
