package templates

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/vanng822/go-premailer/premailer"
)

// conditionalComment matches the three forms of Outlook's conditional comments: the start and the end
// of markup for other programs, and a whole comment with markup for Outlook only.
var conditionalComment = regexp.MustCompile(`<!--\[if [^\]]*\]><!-->|<!--<!\[endif\]-->|<!--\[if (?s:.*?)<!\[endif\]-->`)

var indentation = regexp.MustCompile(`(?m)^[ \t]+`)

// liftConditionals prepares the source of an HTML template for html/template, which drops all comments:
// it moves conditional comments to lifted and replaces each by a call of conditional with its index. It
// also removes indentation, because Gmail limits the size of a mail. Line numbers stay the same.
func liftConditionals(file, source string, lifted *[]string) (string, error) {
	if at := actionInConditional(source); at >= 0 {
		return "", &Error{
			File: file, Line: 1 + strings.Count(source[:at], "\n"),
			What: "an action inside a conditional comment",
			Fix:  "plain markup only: close the comment before {{ and open another after it",
		}
	}
	source = conditionalComment.ReplaceAllStringFunc(source, func(comment string) string {
		*lifted = append(*lifted, indentation.ReplaceAllString(comment, ""))
		// The line breaks keep the line numbers of the lines below.
		return "{{conditional " + strconv.Itoa(len(*lifted)-1) + strings.Repeat("\n", strings.Count(comment, "\n")) + "}}"
	})
	return indentation.ReplaceAllString(source, ""), nil
}

// actionInConditional returns the position of the first action inside a conditional comment, or -1.
func actionInConditional(source string) int {
	for _, span := range conditionalComment.FindAllStringIndex(source, -1) {
		if at := strings.Index(source[span[0]:span[1]], "{{"); at >= 0 {
			return span[0] + at
		}
	}
	return -1
}

// conditionalPlaceholder returns a comment that stands for a lifted comment until restoreConditionals
// puts that back after inlining: the HTML library that inlines styles would write "&nbsp;" in a comment
// as "&amp;nbsp;".
func conditionalPlaceholder(i int) template.HTML {
	return template.HTML(conditionalMarker(i))
}

func conditionalMarker(i int) string { return "<!--conditional " + strconv.Itoa(i) + "-->" }

// restoreConditionals puts the lifted comments back. Values cannot contain a marker, because their "<"
// is escaped, and the HTML of articles has no comments.
func restoreConditionals(page string, lifted []string) string {
	if len(lifted) == 0 {
		return page
	}
	pairs := make([]string, 0, 2*len(lifted))
	for i, comment := range lifted {
		pairs = append(pairs, conditionalMarker(i), comment)
	}
	return strings.NewReplacer(pairs...).Replace(page)
}

// keepStyle is the start tag of a style element that must not be inlined. Templates use it for rules
// that do not work in style attributes: media queries, dark mode and the [data-ogsc] rules of
// Outlook's apps.
const keepStyle = `<style data-premailer="ignore"`

// inline moves the rules of all other style elements into style attributes, because several mail
// programs drop or truncate style elements.
func inline(page string) (out string, err error) {
	// A template may contain CSS that makes the third-party parser panic. That is an error of the
	// template and must not end the process.
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the styles could not be inlined: %v", fault)
		}
	}()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		return "", fmt.Errorf("the HTML could not be read: %w", err)
	}
	out, err = premailer.NewPremailer(doc, premailer.NewOptions()).Transform()
	if err != nil {
		return "", fmt.Errorf("the styles could not be inlined: %w", err)
	}
	// In text a "<" is escaped, so this matches only the element itself.
	return strings.ReplaceAll(out, keepStyle, "<style"), nil
}
