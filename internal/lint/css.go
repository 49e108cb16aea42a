package lint

import (
	"regexp"
	"strings"
)

// The CSS of mails is read here, because aymerick/douceur, the small parser that other libraries of
// this program use, never returns from a style element with an unclosed quotation mark. Mails need no
// more than rules, one level of @media, and declarations.

// cssRule is a rule of a style element.
type cssRule struct {
	selectors    []string
	declarations []cssDeclaration
}

type cssDeclaration struct {
	name, value string // in lower case
	important   bool
}

var (
	cssComment   = regexp.MustCompile(`(?s)/\*.*?(?:\*/|$)`)
	cssImportant = regexp.MustCompile(`\s*!\s*important$`)
)

// readSheet returns the rules of a style element: those for every scheme, and those for dark mode
// only. It leaves out rules of other media queries, and what it cannot read.
func readSheet(source string) (base, dark []cssRule) {
	for prelude, body := range blocks(cssComment.ReplaceAllString(source, " ")) {
		media := strings.ToLower(prelude)
		switch {
		case !strings.HasPrefix(prelude, "@"):
			base = append(base, cssRule{cut(prelude, ','), readDeclarations(body)})
		case strings.HasPrefix(media, "@media") && strings.Contains(media, "prefers-color-scheme") && strings.Contains(media, "dark"):
			for prelude, body := range blocks(body) {
				dark = append(dark, cssRule{cut(prelude, ','), readDeclarations(body)})
			}
		}
	}
	return base, dark
}

// readDeclarations returns the declarations of a style attribute or a rule.
func readDeclarations(source string) []cssDeclaration {
	var out []cssDeclaration
	for _, text := range cut(cssComment.ReplaceAllString(source, " "), ';') {
		name, value, found := strings.Cut(text, ":")
		if !found {
			continue
		}
		value = strings.ToLower(strings.TrimSpace(value))
		plain := cssImportant.ReplaceAllString(value, "")
		out = append(out, cssDeclaration{strings.ToLower(strings.TrimSpace(name)), plain, plain != value})
	}
	return out
}

// blocks calls yield for each block at the outermost level, with the text before it.
func blocks(source string) func(yield func(prelude, body string) bool) {
	return func(yield func(prelude, body string) bool) {
		begin, open, depth := 0, 0, 0
		for i := range outsideQuotes(source) {
			switch source[i] {
			case ';': // ends a rule without a block, such as @import
				if depth == 0 {
					begin = i + 1
				}
			case '{':
				if depth++; depth == 1 {
					open = i
				}
			case '}':
				if depth = max(depth-1, 0); depth == 0 && open >= begin {
					if open > begin && !yield(strings.TrimSpace(source[begin:open]), source[open+1:i]) {
						return
					}
					begin = i + 1
				}
			}
		}
	}
}

// cut splits a text at a separator outside of quotation marks and parentheses, and trims the parts.
func cut(source string, separator byte) []string {
	var out []string
	begin, depth := 0, 0
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	for i := range outsideQuotes(source) {
		switch source[i] {
		case '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
		case separator:
			if depth == 0 {
				add(source[begin:i])
				begin = i + 1
			}
		}
	}
	add(source[begin:])
	return out
}

// outsideQuotes yields the positions of the bytes outside of quotation marks.
func outsideQuotes(source string) func(yield func(i int) bool) {
	return func(yield func(i int) bool) {
		quote := byte(0)
		for i := 0; i < len(source); i++ {
			switch c := source[i]; {
			case c == '\\':
				i++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case !yield(i):
				return
			}
		}
	}
}
