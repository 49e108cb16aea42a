package templates

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
)

// conditionals are the comments by which Outlook is told what others must not see,
// in their three forms: the opening and the closing of what others do see, and the
// whole of what only Outlook sees.
var conditionals = regexp.MustCompile(`<!--\[if [^\]]*\]><!-->|<!--<!\[endif\]-->|<!--\[if (?s:.*?)<!\[endif\]-->`)

var indentation = regexp.MustCompile(`(?m)^[ \t]+`)

// prepare makes the source of an HTML template ready for html/template, which drops
// every comment: conditional comments are lifted out, and a call that prints
// them unchanged is put in their place. Indentation goes as well, since Gmail
// counts its bytes. Lines keep their numbers.
func prepare(file, source string, lifted *[]template.HTML) (string, error) {
	if at := actionInConditional(source); at >= 0 {
		return "", &Error{File: file, Line: 1 + strings.Count(source[:at], "\n"),
			What:  "an action inside a conditional comment",
			Right: "comments for Outlook hold plain markup only; close the comment before {{ and open another after it"}
	}
	source = conditionals.ReplaceAllStringFunc(source, func(comment string) string {
		*lifted = append(*lifted, template.HTML(indentation.ReplaceAllString(comment, ""))) //nolint:gosec // the template's own text
		call := "{{conditional " + strconv.Itoa(len(*lifted)-1) + "}}"
		// A comment inside an action keeps the line numbers of what follows.
		if lines := strings.Count(comment, "\n"); lines > 0 {
			call = "{{conditional " + strconv.Itoa(len(*lifted)-1) + strings.Repeat("\n", lines) + "}}"
		}
		return call
	})
	return indentation.ReplaceAllString(source, ""), nil
}

func actionInConditional(source string) int {
	for _, span := range conditionals.FindAllStringIndex(source, -1) {
		if at := strings.Index(source[span[0]:span[1]], "{{"); at >= 0 {
			return span[0] + at
		}
	}
	return -1
}

// conditionalFunc prints the lifted comments by number.
func conditionalFunc(lifted *[]template.HTML) func(int) (template.HTML, error) {
	return func(i int) (template.HTML, error) {
		if i < 0 || i >= len(*lifted) {
			return "", fmt.Errorf("no conditional comment %d", i)
		}
		return (*lifted)[i], nil
	}
}
