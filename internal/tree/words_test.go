package tree

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forbidden are words of earlier versions with the word to use instead. They may not return to
// names, comments and messages.
var forbidden = map[string]string{
	"household":  "maintenance, or what the thing is",
	"press room": "service, or admin for the editors' pages",
	"manners":    "throttle",
	"praised":    "onAccepted",
	"witness":    "what is checked",
	"recogniser": "matcher",
	"mould":      "compiled message",
	"anew":       "again",
	"untold":     "pending",
	"stumbled":   "onConnectionLost",
	"levers":     "what they do: pause, resume, cancel",

	"right would be": "how to fix it",
	"says whether":   "reports whether",
}

func TestSourcesContainNoForbiddenWords(t *testing.T) {
	t.Parallel()
	var words []string
	for word := range forbidden {
		words = append(words, regexp.QuoteMeta(strings.ToLower(word)))
	}
	pattern := regexp.MustCompile(`(?i)\b(` + strings.Join(words, "|") + `)`)
	sources(t, func(path string, data []byte) {
		if strings.HasPrefix(filepath.ToSlash(path), "../../bench/") {
			return // texts of sample articles
		}
		for i, line := range strings.Split(string(data), "\n") {
			if word := pattern.FindString(line); word != "" {
				t.Errorf("%s:%d: %q is a forbidden word; use %s", path, i+1, word, forbidden[strings.ToLower(word)])
			}
		}
	})
}
