package admin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// Bounds of requests to a provider.
const (
	providerTimeout = 10 * time.Second
	providerBody    = 1 << 20 // bytes of a response
	providerAge     = time.Hour
)

// provider is the configured provider of sign-ins (OpenID Connect Core 1.0). Its addresses are read from
// it at the first sign-in, and again after an hour.
type provider struct {
	config   config.OIDC
	redirect string // address to which it sends the browser back
	now      func() time.Time
	client   *http.Client

	mu    sync.Mutex
	found *oidc.Provider
	at    time.Time
}

// newProvider returns nil if none is configured.
func newProvider(c *config.Config, now func() time.Time) *provider {
	if c.Admin.SignIn.OIDC.Issuer == "" {
		return nil
	}
	return &provider{
		config: c.Admin.SignIn.OIDC, redirect: c.Site.URL + "/admin/sign-in/provider", now: now,
		client: &http.Client{Timeout: providerTimeout, Transport: boundedTransport{}},
	}
}

// boundedTransport bounds the responses of a provider.
type boundedTransport struct{}

// RoundTrip implements http.RoundTripper.
func (boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, providerBody), answer.Body}
	}
	return answer, err
}

// discover returns the provider with its addresses and keys.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil && p.now().Sub(p.at) < providerAge {
		return p.found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err == nil {
		p.found, p.at = found, p.now()
	}
	if p.found != nil { // the former addresses, if it does not answer now
		return p.found, nil
	}
	return nil, err
}

func (p *provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret.Reveal(), Endpoint: found.Endpoint(), RedirectURL: p.redirect,
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, p.config.Scopes...),
	}
}

// providerAsk is what is kept of a sign-in while the browser is at the provider.
type providerAsk struct {
	Nonce    string
	Verifier string // of PKCE (RFC 7636)
	Next     string
	Began    time.Time
}

// address returns the address of the provider that asks who someone is. With again, they must
// sign in there even if they are signed in.
func (p *provider) address(ctx context.Context, state string, ask providerAsk, again bool) (string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(ask.Nonce), oauth2.S256ChallengeOption(ask.Verifier)}
	if again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth(found).AuthCodeURL(state, options...), nil
}

// providerClaims is what a provider says about an account.
type providerClaims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // a bool, or from some providers a string
	Name     string `json:"name"`
	AuthTime int64  `json:"auth_time"` // Unix seconds; 0 if it does not say
	Methods  any    `json:"amr"`       // how they signed in there (OpenID Connect Core 1.0, section 2)

	Groups []string `json:"-"` // of the configured claim
}

// factor returns the second factor that the provider vouches for: the value "mfa" of the claim amr says
// that it asked for several (RFC 8176, section 2).
func (c providerClaims) factor() store.SessionFactor {
	if methods, ok := c.Methods.([]any); ok && slices.Contains(methods, any("mfa")) {
		return store.ProviderFactor
	}
	return store.NoFactor
}

// readGroups reads the groups of the configured claim: a list of texts, or one text. Anything else is no
// group.
func (p *provider) readGroups(token *oidc.IDToken) ([]string, error) {
	var all map[string]any
	if err := token.Claims(&all); err != nil {
		return nil, err
	}
	var out []string
	switch found := all[p.config.GroupsClaim].(type) {
	case string:
		out = append(out, found)
	case []any:
		for _, one := range found {
			if name, ok := one.(string); ok {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

// roleOf returns the highest role that one of the groups has, or noSession for none.
func (p *provider) roleOf(groups []string) store.Role {
	roles := p.config.Roles
	for _, one := range []struct {
		role   store.Role
		groups []string
	}{{store.OwnerRole, roles.Owner}, {store.EditorRole, roles.Editor}, {store.WriterRole, roles.Writer}, {store.ViewerRole, roles.Viewer}} {
		if slices.ContainsFunc(one.groups, func(name string) bool { return slices.Contains(groups, name) }) {
			return one.role
		}
	}
	return noSession
}

// check returns an error if an account with these claims may not sign in.
func (p *provider) check(c providerClaims) error {
	if c.Subject == "" || len(c.Subject) > 255 {
		return errors.New("the token has no valid subject")
	}
	if c.Email == "" || c.Verified != true && c.Verified != "true" {
		return errEmailNotVerified
	}
	domain := strings.ToLower(c.Email[strings.LastIndexByte(c.Email, '@')+1:])
	if len(p.config.AllowedDomains) > 0 && !slices.ContainsFunc(p.config.AllowedDomains, func(allowed string) bool { return strings.EqualFold(allowed, domain) }) {
		return errDomainNotAllowed
	}
	return nil
}

var (
	errEmailNotVerified = errors.New("the provider has not verified the email address")
	errDomainNotAllowed = errors.New("the domain of the email address is not allowed")
)

// claims exchanges the code of a response for a token, and checks the token's signature, issuer,
// audience, time and nonce.
func (p *provider) claims(r *http.Request, ask providerAsk) (c providerClaims, err error) {
	query := r.URL.Query()
	if issuer := query.Get("iss"); issuer != "" && issuer != p.config.Issuer { // RFC 9207
		return c, fmt.Errorf("the response is one of %q", truncate(issuer, 100))
	}
	if problem := query.Get("error"); problem != "" {
		return c, fmt.Errorf("the provider says %q", truncate(problem, 100))
	}
	ctx := oidc.ClientContext(r.Context(), p.client)
	found, err := p.discover(ctx)
	if err != nil {
		return c, err
	}
	got, err := p.oauth(found).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(ask.Verifier))
	if err != nil {
		return c, err
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		return c, errors.New("the response of the provider has no token")
	}
	token, err := found.Verifier(&oidc.Config{ClientID: p.config.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return c, err
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(ask.Nonce)) != 1 {
		return c, errors.New("the token is for another sign-in")
	}
	if err := token.Claims(&c); err != nil {
		return c, err
	}
	c.Groups, err = p.readGroups(token)
	return c, err
}
