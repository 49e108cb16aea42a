package config

import (
	"net/url"
	"reflect"
	"strings"
)

// hidden is a value that holds a secret. String returns what may be shown, Reveal the value
// itself. Everything that prints a configuration uses these types, so a new key that holds
// a secret is safe once it has one of them.
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

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// DSN is the address of a store. It may hold a password, which is never printed.
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
	// A password may contain an unescaped question mark: everything up to the last @
	// counts as name and password.
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

// redactQuery hides the parameters of libpq that are secrets.
func redactQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); value != "" && (err != nil || soundsSecret(plain)) {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}

// soundsSecret reports whether a name is one that secrets have.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"pass", "secret", "token", "auth", "credential", "api-key", "apikey", "api_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// hasPassword reports whether the address holds a password.
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

// String returns the name of the header, and that it has a value.
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

// Reveal returns the line itself, for the mail that carries it.
func (h HeaderLine) Reveal() string { return string(h) }

// holdsSecret reports whether a value that stands in the file itself, and does not
// come from the environment, is a secret.
func holdsSecret(into reflect.Value, written string) bool {
	switch into.Interface().(type) {
	case Secret:
		return literal(written) != ""
	case DSN:
		return DSN(literal(written)).hasPassword()
	case HeaderLine:
		name, value, _ := strings.Cut(written, ":")
		return soundsSecret(name) && strings.TrimSpace(literal(value)) != ""
	}
	return false
}

// literal returns what a value holds apart from references to the environment. A
// default, as in ${NAME:-default}, stands in the file.
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
