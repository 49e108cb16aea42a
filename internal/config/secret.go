package config

import (
	"net/url"
	"reflect"
	"strings"
)

// hidden is a value with a secret. String returns the part that may be shown, Reveal the value
// itself. All printing of configurations respects these types, so a new key with a secret only
// needs one of them.
type hidden interface {
	String() string
	Reveal() string
}

// shownSecret is shown in place of a secret.
const shownSecret = "(secret)"

// Secret is a string that is never printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return shownSecret
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// MarshalYAML hides the secret.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// MarshalText hides the secret, in JSON and in logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// DSN is the address of a store. It may contain a password, which is never printed.
type DSN string

// String returns the address without its password.
func (d DSN) String() string {
	scheme, rest, found := strings.Cut(string(d), "://")
	if !found {
		if strings.HasPrefix(string(d), "sqlite:") || d == "" {
			return string(d)
		}
		return "(not shown: it may hold a password)"
	}
	// Everything up to the last @ is name and password, since a password may contain an
	// unescaped question mark.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if user, password, _ := strings.Cut(rest[:at], ":"); password != "" {
			rest = user + ":***" + rest[at:]
		}
	}
	if before, query, has := strings.Cut(rest, "?"); has {
		rest = before + "?" + redactQuery(query)
	}
	return scheme + "://" + rest
}

// redactQuery hides the secret parameters of libpq.
func redactQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); value != "" && (err != nil || isSecretName(plain)) {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}

// isSecretName reports whether a name indicates a secret.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"pass", "secret", "token", "auth", "credential", "api-key", "apikey", "api_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// hasPassword reports whether the address contains a password.
func (d DSN) hasPassword() bool { return d.String() != string(d) }

// GoString hides the password.
func (d DSN) GoString() string { return d.String() }

// MarshalYAML hides the password.
func (d DSN) MarshalYAML() (any, error) { return d.String(), nil }

// MarshalText hides the password, in JSON and in logs.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Reveal returns the address itself, for opening the store.
func (d DSN) Reveal() string { return string(d) }

// HeaderLine is a header line for a mail service. Its value may be a token, so only
// its name is printed.
type HeaderLine string

// String returns the name of the header with its value hidden.
func (h HeaderLine) String() string {
	name, _, found := strings.Cut(string(h), ":")
	switch {
	case h == "":
		return ""
	case !found:
		return shownSecret
	}
	return name + ": " + shownSecret
}

// GoString hides the value.
func (h HeaderLine) GoString() string { return h.String() }

// MarshalYAML hides the value.
func (h HeaderLine) MarshalYAML() (any, error) { return h.String(), nil }

// MarshalText hides the value, in JSON and in logs.
func (h HeaderLine) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// Reveal returns the line itself, for mails.
func (h HeaderLine) Reveal() string { return string(h) }

// holdsSecret reports whether a value has a secret that is in the file itself and not from the
// environment.
func holdsSecret(into reflect.Value, written string) bool {
	switch into.Interface().(type) {
	case Secret:
		return literal(written) != ""
	case DSN:
		return DSN(literal(written)).hasPassword()
	case HeaderLine:
		name, value, _ := strings.Cut(written, ":")
		return isSecretName(name) && strings.TrimSpace(literal(value)) != ""
	}
	return false
}

// literal returns a value without its references to the environment. Defaults, as in
// ${NAME:-default}, are part of it.
func literal(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return out.String() + rest
		}
		_, fallback, _ := strings.Cut(name, ":-")
		out.WriteString(fallback)
		text = after
	}
}
