package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// The forms in which a password is chosen have a meter of its strength (OWASP ASVS 4.0.3, section 2.1.8).
// The page's script asks one of the routes below while someone types. They judge with the rule that applies
// when the form is sent, and neither store nor log anything.

// passwordStrength is how the meter shows a new password.
type passwordStrength struct {
	Value int    `json:"value"` // from 1 for a password that is refused to maxStrength
	Text  string `json:"text"`
}

// maxStrength is the maximum of the meter.
const maxStrength = 4

// Limits of judgements for one network. The script asks once for each pause in typing.
const (
	strengthBurst    = 60
	strengthInterval = time.Second
)

// strengthLevels are the values of the meter for passwords that are accepted, by the least bits that zxcvbn
// estimates. A password with 15 bits more takes 30,000 times as many guesses.
var strengthLevels = []struct {
	bits  float64
	value int
	text  words.Text
}{
	{60, maxStrength, words.T("Very strong")},
	{45, 3, words.T("Strong")},
	{0, 2, words.T("Sufficient; another word makes it stronger")},
}

// accountStrength judges the new password of a signed-in editor.
func (h *Handler) accountStrength(w http.ResponseWriter, r *http.Request, session store.Session) error {
	unchanged(r)
	return h.showStrength(w, r, session.Editor.Name, session.Editor.Email)
}

// welcomeStrength judges the password that is chosen with a one-time link.
func (h *Handler) welcomeStrength(w http.ResponseWriter, r *http.Request) error {
	in, err := h.requestedLink(r)
	if err != nil {
		return err
	}
	form := typedWelcome(r, in)
	return h.showStrength(w, r, form.Name, form.Email)
}

func (h *Handler) showStrength(w http.ResponseWriter, r *http.Request, name, email string) error {
	if !h.strengths.Allow(clientNetwork(r)) {
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return nil
	}
	out := passwordStrength{Value: 1}
	bits, err := h.judgePassword(r.PostFormValue("password"), name, email)
	if err != nil {
		out.Text = h.words(w).Translate(words.T("Too weak: {0}", err))
	}
	for _, level := range strengthLevels {
		if err == nil && bits >= level.bits {
			out.Value, out.Text = level.value, h.words(w).Translate(level.text)
			break
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}
