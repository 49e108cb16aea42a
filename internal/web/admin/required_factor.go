package admin

import (
	"net/http"
	"slices"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// The configuration names roles that must use a second factor (OWASP ASVS 4.0.3, section 4.3.1). A session
// in which none was used yet opens one page only, which asks for it, or leads an editor without one to set
// it up. The role and the session are compared at each request, so the rule holds for sessions that began
// before it was set, however they began.

// factorPath is the route of that page.
const factorPath = "GET /admin/account/factor"

// The routes that are open before the second factor was used: those that set one up, for an editor who has
// none, and those that use it, for an editor who has one. To set up another would not prove anything.
var (
	factorSetupRoutes = []string{
		factorPath, "POST /admin/sign-out", "POST /admin/account/provider", "POST /admin/account/factor", "POST /admin/account/factor/confirm",
		"POST /admin/account/passkeys/new", "POST /admin/account/passkeys",
	}
	factorUseRoutes = []string{factorPath, "POST /admin/sign-out", "POST /admin/account/factor/use"}
)

// factorState is what a session lacks of the second factor that the role of its editor needs.
type factorState int

const (
	factorUsed  factorState = iota // or none is needed
	factorAsked                    // the editor has one, and has not used it in the session
	factorUnset                    // the editor has none
)

// requiresFactor reports whether editors with a role must use a second factor.
func (h *Handler) requiresFactor(role store.Role) bool {
	return slices.Contains(h.config.Admin.SignIn.SecondFactor, string(role))
}

// missingFactor returns what a session lacks. A provider that asked for several factors is enough. A factor
// of the editor's own that was removed since does not count.
func (h *Handler) missingFactor(r *http.Request, session store.Session) (factorState, error) {
	if !h.requiresFactor(session.Editor.Role) || session.Factor == store.ProviderFactor {
		return factorUsed, nil
	}
	apps, passkeys, err := h.store.CountSecondFactors(r.Context(), session.Editor.ID)
	switch {
	case err != nil:
		return factorUnset, err
	case apps+passkeys == 0:
		return factorUnset, nil
	case session.Factor == store.NoFactor:
		return factorAsked, nil
	}
	return factorUsed, nil
}

// errFactorNeeded refuses a request in a session that lacks a second factor.
var errFactorNeeded = &userError{http.StatusForbidden, "A second factor is needed",
	"Your role needs a second factor: a passkey, or a code from an app. Nothing was changed.", "/admin/account/factor", "Continue"}

// checkFactor returns errFactorNeeded for a route that is not open before the second factor was used.
func (h *Handler) checkFactor(one route, r *http.Request, session store.Session) error {
	missing, err := h.missingFactor(r, session)
	switch {
	case err != nil:
		return err
	case missing == factorAsked && !slices.Contains(factorUseRoutes, one.pattern), missing == factorUnset && !slices.Contains(factorSetupRoutes, one.pattern):
		return errFactorNeeded
	}
	return nil
}

// checkFactorLeft returns an error if an editor whose role needs a second factor would have none left
// without the given numbers of apps and passkeys.
func (h *Handler) checkFactorLeft(r *http.Request, editor store.Editor, apps, passkeys int) error {
	if !h.requiresFactor(editor.Role) {
		return nil
	}
	haveApps, havePasskeys, err := h.store.CountSecondFactors(r.Context(), editor.ID)
	if err != nil || max(haveApps-apps, 0)+max(havePasskeys-passkeys, 0) > 0 {
		return err
	}
	return conflict("Your role needs a second factor", words.Errorf("Add a passkey or set up an app first, then remove this one."), "/admin/account")
}

// requiredFactorPage is the data of the page that asks for the second factor, or leads to set it up.
type requiredFactorPage struct {
	Next     string
	Setup    bool             // the editor has none
	App      bool             // the editor has an app
	Passkey  *passkeyQuestion // nil for an editor without passkeys
	Passkeys bool             // browsers allow passkeys at the site's address
	Problem  any
}

func (h *Handler) factorPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	missing, err := h.missingFactor(r, session)
	if err != nil {
		return err
	}
	if missing == factorUsed {
		http.Redirect(w, r, "/admin/account", http.StatusSeeOther)
		return nil
	}
	return h.showFactorPage(w, r, session, http.StatusOK, requiredFactorPage{Next: adminPath(r.URL.Query().Get("next")), Setup: missing == factorUnset})
}

func (h *Handler) showFactorPage(w http.ResponseWriter, r *http.Request, session store.Session, status int, body requiredFactorPage) (err error) {
	body.Passkeys = h.passkeys != nil
	if body.App, err = h.secondFactorOf(r, session.Editor); err != nil {
		return err
	}
	if body.Passkey, err = h.askForPasskey(r, session.Editor); err != nil {
		return err
	}
	return h.show(w, status, "required_factor", page{Title: "Second factor", Script: "passkey.js", Body: body})
}

// useFactor checks the passkey or code of an editor who signed in without, and leads on.
func (h *Handler) useFactor(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := requiredFactorPage{Next: adminPath(r.PostFormValue("next"))}
	status, err := h.checkOwnFactor(w, r, session, &body)
	if err != nil {
		return err
	}
	if body.Problem != nil {
		return h.showFactorPage(w, r, session, status, body)
	}
	ctx := h.auditing(r.Context(), session.Editor, "session.factor", "editor", editorID(session.Editor), "")
	if err := h.store.SetSessionFactor(ctx, h.sessionToken(r), store.OwnFactor); err != nil {
		return err
	}
	http.Redirect(w, r, body.Next, http.StatusSeeOther)
	return nil
}

// checkOwnFactor checks the passkey or code of a form. If it is refused, it puts the problem into body and
// returns the status of the response.
func (h *Handler) checkOwnFactor(w http.ResponseWriter, r *http.Request, session store.Session, body *requiredFactorPage) (status int, err error) {
	if answer := r.PostFormValue(proofPasskey); answer != "" {
		_, body.Problem, err = h.checkPasskey(r, store.PasskeyProof, session.Editor.ID, r.PostFormValue(proofToken), answer)
		return http.StatusUnauthorized, err
	}
	body.Problem, status, err = h.checkCode(w, r, session.Editor.ID, r.PostFormValue("code"))
	return status, err
}
