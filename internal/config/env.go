package config

import (
	"regexp"
	"strings"
)

// envName matches the names of environment variables.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand replaces ${NAME} with the environment variable, and ${NAME:-default} with the default if
// the variable is not set. "$${" stands for "${". missing are the variables that are neither set
// nor have a default, and defaults with a variable in them, which end at its bracket.
func expand(text string, env func(string) (string, bool)) (out string, missing []string) {
	var done strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			done.WriteString(text)
			return done.String(), missing
		}
		if start > 0 && text[start-1] == '$' {
			done.WriteString(text[:start] + "{")
			text = text[start+2:]
			continue
		}
		length := strings.IndexByte(text[start:], '}')
		if length < 0 {
			done.WriteString(text)
			return done.String(), missing
		}
		done.WriteString(text[:start])
		name, fallback, hasFallback := strings.Cut(text[start+2:start+length], ":-")
		value, ok := env(name)
		switch {
		case strings.Contains(fallback, "${"):
			missing = append(missing, name+":-"+fallback+"}")
		case ok && (value != "" || !hasFallback):
			done.WriteString(value)
		case hasFallback:
			done.WriteString(fallback)
		default:
			missing = append(missing, name)
		}
		text = text[start+length+1:]
	}
}
