package admin_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"
)

// fakeProvider is a provider of sign-ins that says what a test wants.
type fakeProvider struct {
	t         *testing.T
	url       string
	key       *rsa.PrivateKey
	claims    map[string]any
	challenge string // of PKCE, from the last request
}

// providerKey is the key of all fake providers, since it takes long to make one.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func startFakeProvider(t *testing.T) *fakeProvider {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProvider{t: t, key: key}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// ServeHTTP implements http.Handler.
func (p *fakeProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer = map[string]any{"issuer": p.url, "authorization_endpoint": p.url + "/auth", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
	case "/keys":
		answer["keys"] = []any{map[string]any{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encoded(p.key.N.Bytes()), "e": encoded(big.NewInt(int64(p.key.E)).Bytes())}}
	case "/token":
		verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if encoded(verifier[:]) != p.challenge || r.PostFormValue("code") != "the code" {
			w.WriteHeader(http.StatusBadRequest)
		}
		answer = map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.token()}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// token returns a signed token with the claims.
func (p *fakeProvider) token() string {
	claims, _ := json.Marshal(p.claims)
	signed := encoded([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + encoded(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, digest[:])
	if err != nil {
		return err.Error()
	}
	return signed + "." + encoded(signature)
}

// config is the configuration of a site that uses the provider.
func (p *fakeProvider) config(more string) siteOption {
	return with(fmt.Sprintf("admin: {sign_in: {oidc: {issuer: %q, client_id: tidings, client_secret: secret, label: Example Login%s}}}\n", p.url, more))
}

// link returns the address of the provider on the last page.
func (e *editor) link() *url.URL {
	e.t.Helper()
	found := regexp.MustCompile(`id="provider" href="([^"]*)"`).FindStringSubmatch(e.body)
	if found == nil {
		e.t.Fatalf("%s leads to no provider: %d\n%s", e.at, e.code, e.body)
	}
	address, err := url.Parse(html.UnescapeString(found[1]))
	if err != nil {
		e.t.Fatal(err)
	}
	return address
}

// ask begins a sign-in and prepares the provider's answer; it returns the state.
func (e *editor) ask(p *fakeProvider, path string, change func(map[string]any)) (state string) {
	e.t.Helper()
	e.post(path, "next", "/admin/account")
	query := e.link().Query()
	p.challenge = query.Get("code_challenge")
	p.claims = map[string]any{
		"iss": p.url, "aud": "tidings", "sub": "subject of ada", "email": adaEmail, "email_verified": true, "name": "Ada L.",
		"nonce": query.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	if change != nil {
		change(p.claims)
	}
	return query.Get("state")
}

// through signs in at the provider.
func (e *editor) through(p *fakeProvider, change func(map[string]any)) {
	e.t.Helper()
	state := e.ask(p, "/admin/sign-in/provider", change)
	e.get("/admin/sign-in/provider?code=the+code&state=" + state)
}
