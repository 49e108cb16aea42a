package config

import (
	"cmp"
	"fmt"
	"net/url"
	"time"
)

// Admin describes the editors' web interface.
type Admin struct {
	// How editors sign in; see docs/admin.md.
	SignIn SignIn `yaml:"sign_in"`
}

// SignIn describes how editors sign in.
type SignIn struct {
	// Whether a password signs in. false has no effect until an owner has signed in with a passkey or at the provider.
	Password bool `yaml:"password"`
	// How long an editor stays signed in without using the admin. OWASP ASVS level 2 asks for 30m.
	Idle time.Duration `yaml:"idle"`
	// How long an editor stays signed in at most. OWASP ASVS level 2 asks for 12h.
	Longest time.Duration `yaml:"longest"`
	// Roles that must use a second factor: an authenticator app, a passkey, or a provider that says it asked for several. See docs/admin.md.
	SecondFactor []string `yaml:"second_factor"`
	// A provider of sign-ins (OpenID Connect), such as an identity service of your organization. Without an issuer there is none.
	OIDC OIDC `yaml:"oidc"`
}

// OIDC is a provider of sign-ins. Its redirect address is the site's address with /admin/sign-in/provider.
type OIDC struct {
	// Address of the provider, exactly as it names itself, such as https://login.example.org.
	Issuer string `yaml:"issuer"`
	// Name of this site at the provider.
	ClientID string `yaml:"client_id"`
	// Secret of this site at the provider, best as ${OIDC_CLIENT_SECRET} from the environment.
	ClientSecret Secret `yaml:"client_secret"`
	// File that holds the secret.
	ClientSecretFile string `yaml:"client_secret_file"`
	// Name of the provider on buttons; the issuer's host name when empty.
	Label string `yaml:"label"`
	// Domains of email addresses that may sign in; all when empty.
	AllowedDomains []string `yaml:"allowed_domains"`
	// Roles by groups at the provider; see docs/admin.md. Without any, people keep the roles that owners give them.
	Roles OIDCRoles `yaml:"roles"`
	// Claim of the provider's token that lists someone's groups.
	GroupsClaim string `yaml:"groups_claim"`
	// Scopes to ask for besides openid, email and profile. Many providers give groups only for the scope groups.
	Scopes []string `yaml:"scopes"`
}

// OIDCRoles are the groups at a provider whose members have a role here. The highest role counts.
type OIDCRoles struct {
	// Groups whose members are owners.
	Owner []string `yaml:"owner"`
	// Groups whose members are editors.
	Editor []string `yaml:"editor"`
	// Groups whose members are writers.
	Writer []string `yaml:"writer"`
	// Groups whose members are viewers.
	Viewer []string `yaml:"viewer"`
}

// Empty reports whether no group has a role.
func (r OIDCRoles) Empty() bool { return len(r.Owner)+len(r.Editor)+len(r.Writer)+len(r.Viewer) == 0 }

func (o *OIDC) fill() {
	if site, err := url.Parse(o.Issuer); err == nil {
		o.Label = cmp.Or(o.Label, site.Hostname())
	}
	o.GroupsClaim = cmp.Or(o.GroupsClaim, "groups")
}

func (c *checker) admin() {
	const key = "admin.sign_in.oidc"
	in := &c.config.Admin.SignIn
	if in.Idle < 5*time.Minute || in.Idle > in.Longest {
		c.wrong("admin.sign_in.idle", "it is out of range", "use at least 5m and at most the value of longest, such as 30m")
	}
	if in.Longest < time.Hour || in.Longest > 366*24*time.Hour {
		c.wrong("admin.sign_in.longest", "it is out of range", "use 1h to 366d, such as 12h")
	}
	for i, role := range in.SecondFactor {
		c.oneOf(fmt.Sprintf("admin.sign_in.second_factor[%d]", i), role, "viewer", "writer", "editor", "owner")
	}
	o := &in.OIDC
	c.secretFromFile(key, "client_secret", &o.ClientSecret, o.ClientSecretFile, "a secret")
	if o.Issuer == "" {
		if o.ClientID != "" {
			c.wrong(key+".issuer", "client_id is set without an issuer", "add the address of the provider")
		}
		return
	}
	c.issuer(key+".issuer", o.Issuer)
	c.required(key+".client_id", o.ClientID, "register this site at the provider and use the id that it gives")
	c.required(key+".client_secret", string(o.ClientSecret), "add client_secret: ${OIDC_CLIENT_SECRET}, or client_secret_file")
	for i, domain := range o.AllowedDomains {
		c.domain(fmt.Sprintf("%s.allowed_domains[%d]", key, i), domain)
	}
}

// issuer checks the address of a provider. Its tokens and this site's secret go over the connection, so it
// needs https, except on this machine.
func (c *checker) issuer(key, value string) {
	site, err := url.Parse(value)
	switch {
	case err != nil || site.Host == "" || site.User != nil || site.RawQuery != "" || site.Fragment != "" || site.Scheme != "https" && site.Scheme != "http":
		c.wrong(key, fmt.Sprintf("%q is not the address of a provider", value), "use an address such as https://login.example.org")
	case site.Scheme == "http" && !isLocal(site.Hostname()):
		c.wrong(key, "the connection to the provider would not be encrypted", "use an address with https")
	}
}
