package admin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// device is an authenticator with one passkey, as a browser would use it. Tests change its fields to
// give wrong answers.
type device struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	origin  string
	party   string // host name of the site
	flags   byte
	counter uint32
}

// The flags of authenticator data (Web Authentication, section 6.1).
const (
	userPresent    = 1 << 0
	userVerified   = 1 << 2
	backupEligible = 1 << 3
	backedUp       = 1 << 4
	hasKey         = 1 << 6
)

func newDevice(t *testing.T, origin string) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, key: key, id: []byte(rand.Text()), origin: origin, party: "localhost", flags: userPresent | userVerified | backupEligible | backedUp}
}

// question is what a page asks of a device.
type question struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
}

func (d *device) data(flags byte) []byte {
	party := sha256.Sum256([]byte(d.party))
	return binary.BigEndian.AppendUint32(append(party[:], flags), d.counter)
}

func (d *device) client(kind string, q question) []byte {
	return d.marshal(map[string]any{"type": kind, "challenge": q.Challenge, "origin": d.origin, "crossOrigin": false})
}

func (d *device) marshal(value any) []byte {
	d.t.Helper()
	out, err := json.Marshal(value)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *device) ask(options string) (q question) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(options), &q); err != nil {
		d.t.Fatalf("%s: %v", options, err)
	}
	return q
}

// create returns the answer to a question for a new passkey.
func (d *device) create(options string) string {
	d.t.Helper()
	q := d.ask(options)
	d.handle, _ = base64.RawURLEncoding.DecodeString(q.User.ID)
	public, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	cose, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]})
	if err != nil {
		d.t.Fatal(err)
	}
	data := slices.Concat(d.data(d.flags|hasKey), make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(d.id))), d.id, cose)
	attestation, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{"clientDataJSON": encoded(d.client("webauthn.create", q)), "attestationObject": encoded(attestation)})
}

// get returns the answer to a question that asks who someone is.
func (d *device) get(options string) string {
	d.t.Helper()
	d.counter++
	client, data := d.client("webauthn.get", d.ask(options)), d.data(d.flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{"clientDataJSON": encoded(client), "authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": encoded(d.handle)})
}

func (d *device) answer(response map[string]any) string {
	return string(d.marshal(map[string]any{"id": encoded(d.id), "rawId": encoded(d.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}}))
}

func encoded(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// options returns the question on the last page.
func (e *editor) options() string {
	e.t.Helper()
	found := regexp.MustCompile(`data-options="([^"]*)"`).FindStringSubmatch(e.body)
	if found == nil {
		e.t.Fatalf("%s asks for no passkey:\n%s", e.at, e.body)
	}
	return html.UnescapeString(found[1])
}

// register adds a passkey to the editor's account.
func (e *editor) register(d *device, name string) {
	e.t.Helper()
	e.post("/admin/account/passkeys/new")
	e.post("/admin/account/passkeys", "token", e.hidden("token"), "credential", d.create(e.options()), "name", name)
	if e.code != http.StatusOK || e.at != "/admin/account" {
		e.t.Fatalf("the passkey was not added: %d at %s\n%s", e.code, e.at, e.body)
	}
}

// askToSignIn returns a token and a question of the sign-in page.
func (e *editor) askToSignIn() (token, options string) {
	e.t.Helper()
	var asked struct{ Token, Options string }
	body := e.post("/admin/sign-in/options")
	if err := json.Unmarshal([]byte(body), &asked); err != nil {
		e.t.Fatalf("%d %s: %v", e.code, body, err)
	}
	return asked.Token, asked.Options
}

// signInWith answers a question of the sign-in page with a device.
func (e *editor) signInWith(d *device) {
	e.t.Helper()
	token, options := e.askToSignIn()
	e.post("/admin/sign-in/passkey", "token", token, "credential", d.get(options), "next", "/admin/account")
}
