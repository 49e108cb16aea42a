package admin

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// proofAge is how long a proof of identity is enough for dangerous actions.
const proofAge = 15 * time.Minute

// proofFields are the fields of the form that asks for the proof.
const (
	proofPassword = "proof_password"
	proofCode     = "proof_code"
	proofToken    = "proof_token"
	proofPasskey  = "proof_passkey"
)

// maxHiddenFields bounds the form that the page of the proof repeats.
const maxHiddenFields = 200

// proofPage is the data of the page that asks an editor to prove who they are. Its form repeats the
// request's form, so that nothing that was typed is lost.
type proofPage struct {
	Action   string
	Fields   []formField
	Password bool             // the editor has a password
	Code     bool             // the editor has a second factor
	Passkey  *passkeyQuestion // nil for an editor without passkeys
	Provider string           // label of the provider at which the editor has an account
	Back     string           // path of the page that the request came from
	Problem  any
}

type formField struct{ Name, Value string }

// proven wraps an action that needs a recent proof of identity: a passkey, or the password and the
// code of the second factor if the editor has one. Signing in is such a proof.
func (h *Handler) proven(next editorFunc) editorFunc {
	return func(w http.ResponseWriter, r *http.Request, session store.Session) error {
		if h.store.Now().Sub(session.Proved) < proofAge {
			return next(w, r, session)
		}
		body, err := h.requestedProof(r, session)
		if err != nil {
			return err
		}
		if r.PostFormValue(proofPassword) == "" && r.PostFormValue(proofPasskey) == "" {
			unchanged(r)
			return h.showProof(w, r, session, http.StatusOK, body)
		}
		status, err := h.checkProof(w, r, session, &body)
		if err != nil {
			return err
		}
		if status != 0 {
			return h.showProof(w, r, session, status, body)
		}
		if err := h.store.ProveSession(r.Context(), h.sessionToken(r)); err != nil {
			return err
		}
		session.Proved = h.store.Now()
		return next(w, r, session)
	}
}

func (h *Handler) showProof(w http.ResponseWriter, r *http.Request, session store.Session, status int, body proofPage) (err error) {
	if body.Passkey, err = h.askForPasskey(r, session.Editor); err != nil {
		return err
	}
	if body.Provider, err = h.providerOf(r, session.Editor); err != nil {
		return err
	}
	if from, err := url.Parse(r.Referer()); err == nil {
		body.Back = adminPath(from.Path)
	}
	return h.show(w, status, "proof_of_identity", page{Title: "Confirm that it is you", Editor: &session.Editor, Script: "passkey.js", Body: body})
}

// askForPasskey returns the question for one of an editor's passkeys, or nil if they have none.
func (h *Handler) askForPasskey(r *http.Request, editor store.Editor) (*passkeyQuestion, error) {
	if h.passkeys == nil {
		return nil, nil
	}
	user, err := h.passkeyUser(r.Context(), editor)
	if err != nil || len(user.credentials) == 0 {
		return nil, err
	}
	assertion, data, err := h.passkeys.BeginLogin(user)
	if err != nil {
		return nil, err
	}
	return h.ask(r.Context(), store.PasskeyProof, editor.ID, assertion.Response, data)
}

// providerOf returns the label of the configured provider if the editor has an account there.
func (h *Handler) providerOf(r *http.Request, editor store.Editor) (string, error) {
	if h.provider == nil {
		return "", nil
	}
	accounts, err := h.store.Identities(r.Context(), editor.ID)
	for _, one := range accounts {
		if one.Issuer == h.provider.config.Issuer {
			return h.provider.config.Label, err
		}
	}
	return "", err
}

// requestedProof returns the page for a request.
func (h *Handler) requestedProof(r *http.Request, session store.Session) (proofPage, error) {
	body := proofPage{Action: r.URL.RequestURI(), Password: session.Editor.Password != ""}
	factor, err := h.secondFactorOf(r, session.Editor)
	if err != nil {
		return body, err
	}
	body.Code = factor
	if err := r.ParseForm(); err != nil {
		return body, err
	}
	body.Fields = hiddenFields(r.PostForm)
	return body, nil
}

// hiddenFields returns the fields of a form without those of the proof, by name.
func hiddenFields(form url.Values) []formField {
	var names []string
	for name := range form {
		if !slices.Contains([]string{proofPassword, proofCode, proofToken, proofPasskey}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []formField
	for _, name := range names {
		for _, value := range form[name] {
			if len(out) < maxHiddenFields {
				out = append(out, formField{name, value})
			}
		}
	}
	return out
}

// checkProof checks the passkey, or the password and the code, of a form. It returns 0 if they are
// right, or else the status of the response, with the problem in body.
func (h *Handler) checkProof(w http.ResponseWriter, r *http.Request, session store.Session, body *proofPage) (status int, err error) {
	if answer := r.PostFormValue(proofPasskey); answer != "" {
		if _, body.Problem, err = h.checkPasskey(r, store.PasskeyProof, session.Editor.ID, r.PostFormValue(proofToken), answer); body.Problem != nil {
			status = http.StatusUnauthorized
		}
		return status, err
	}
	ok, wait, err := h.matchesCurrent(r, session, r.PostFormValue(proofPassword))
	switch {
	case err != nil:
		return 0, err
	case wait > 0:
		body.Problem = tooManyAttempts(w, wait)
		return http.StatusTooManyRequests, nil
	case !ok:
		body.Problem = words.T("The password is wrong.")
		return http.StatusUnauthorized, nil
	}
	if body.Code {
		body.Problem, status, err = h.checkCode(w, r, session.Editor.ID, r.PostFormValue(proofCode))
	}
	return status, err
}
