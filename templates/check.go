package templates

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checkAll checks all mails of the set.
func (s *Set) checkAll() error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(s.mails)) {
		if err := s.check(s.mails[name]); err != nil {
			faults = append(faults, err)
		}
	}
	return joinDistinct(faults)
}

// check renders a mail with sample data, in a language of each direction, and checks the output.
func (s *Set) check(m *Mail) error {
	check := s.checkDigest
	if slices.Contains(noticeNames, m.Name) {
		check = s.checkNotice
	}
	for _, lang := range []string{"en", "ar"} {
		if err := check(m, s.phrasesByLanguage[lang]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) checkDigest(m *Mail, phrases *Phrases) error {
	full := Sample(phrases)
	for _, data := range []Digest{full, sampleWithoutOptional(full), sampleWithMore(full)} {
		html, err := m.HTML(data)
		if err != nil {
			return err
		}
		text, err := m.Text(data)
		if err != nil {
			return err
		}
		if !strings.Contains(html, data.Reader.Unsubscribe) {
			return &Error{File: m.file(".html"), What: "no link to unsubscribe", Fix: `<a href="{{.Reader.Unsubscribe}}">{{.Phrase "unsubscribe"}}</a>`}
		}
		if !strings.Contains(text, data.Reader.Unsubscribe) {
			return &Error{File: m.file(".txt"), What: "no link to unsubscribe", Fix: "a line with {{.Reader.Unsubscribe}}"}
		}
	}
	return m.checkStyle(full)
}

func (s *Set) checkNotice(m *Mail, phrases *Phrases) error {
	if !m.subject {
		return &Error{File: m.file(".txt"), What: "no subject", Fix: `{{define "subject"}}…{{end}}`}
	}
	full := SampleNotice(phrases)
	for _, data := range []Notice{full, sampleNoticeWithoutOptional(full)} {
		html, err := m.HTML(data)
		if err != nil {
			return err
		}
		text, err := m.Text(data)
		if err != nil {
			return err
		}
		if data.Link != "" && !strings.Contains(html, data.Link) {
			return &Error{File: m.file(".html"), What: "the link is missing", Fix: `<a href="{{.Link}}">…</a>`}
		}
		if data.Link != "" && !strings.Contains(text, data.Link) {
			return &Error{File: m.file(".txt"), What: "the link is missing", Fix: "a line with {{.Link}}"}
		}
	}
	return m.checkStyle(full)
}

var styleElement = regexp.MustCompile(`(?is)<style[^>]*>(.*?)</style>`)

// checkStyle renders the mail and checks the size of the style elements that stay after inlining.
func (m *Mail) checkStyle(data any) error {
	out, err := m.Render(data)
	if err != nil {
		return err
	}
	bytes := 0
	for _, style := range styleElement.FindAllStringSubmatch(out.HTML, -1) {
		bytes += len(style[1])
	}
	if bytes > MaxStyle {
		return &Error{
			File: m.file(".html"), What: fmt.Sprintf("%d bytes of <style> stay after inlining", bytes),
			Fix: fmt.Sprintf("at most %d; Gmail drops the rest", MaxStyle),
		}
	}
	return nil
}

// Error is a fault in a template or phrase file: where it is, what is wrong and how to
// fix it.
type Error struct {
	File string
	Line int // 0 if the error is about the whole file
	What string
	Fix  string // continues "use …"; may be empty
}

func (e *Error) Error() string {
	place := e.File
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
	}
	if e.Fix == "" {
		return place + ": " + e.What
	}
	return place + ": " + e.What + "; use " + e.Fix
}

// templateErrorText matches the errors of both template packages.
var templateErrorText = regexp.MustCompile(`^(?:html/)?template: ?([^:]+):(\d+)(?::\d+)?: (.*)$`)

// executingText matches the prefix that the template packages put before an execution error.
var executingText = regexp.MustCompile(`^executing "[^"]*" at <([^>]*)>: (.*)$`)

// unknownField matches the error about a field that the data does not have: its name and the type's.
var unknownField = regexp.MustCompile(`can't evaluate field (\w+) in type \*?(?:templates\.)?(\w+)`)

// explainTemplateError converts an error of the template packages to an Error. file returns the path
// of a template by its name; fallback is the path if the error names no template.
func explainTemplateError(err error, file func(name string) string, fallback string) error {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	m := templateErrorText.FindStringSubmatch(text)
	if m == nil {
		return &Error{File: fallback, What: strings.TrimPrefix(text, "template: ")}
	}
	e := &Error{File: file(m[1]), What: m[3]}
	e.Line, _ = strconv.Atoi(m[2])
	if m := executingText.FindStringSubmatch(e.What); m != nil {
		e.What = fmt.Sprintf("%s: %s", m[1], m[2])
	}
	if m := unknownField.FindStringSubmatch(e.What); m != nil {
		e.What = fmt.Sprintf("no field %s in %s", m[1], m[2])
		e.Fix = "one of " + strings.Join(fieldsOf(m[2]), ", ")
		if !isDataType(m[2]) {
			e.Fix = "$." + m[1] + ", if you mean the mail's own: inside range and with, the dot is another value"
		}
	}
	return e
}

// dataTypes are the structs that templates can use.
var dataTypes = []reflect.Type{
	reflect.TypeFor[Digest](), reflect.TypeFor[Notice](), reflect.TypeFor[Page](),
	reflect.TypeFor[Site](), reflect.TypeFor[Publication](), reflect.TypeFor[Edition](),
	reflect.TypeFor[Article](), reflect.TypeFor[Image](), reflect.TypeFor[Link](), reflect.TypeFor[Reader](),
	reflect.TypeFor[Section](), reflect.TypeFor[Sponsor](), reflect.TypeFor[Feedback](), reflect.TypeFor[Brand](),
	reflect.TypeFor[Profile](), reflect.TypeFor[Person](), reflect.TypeFor[Colors](),
}

func isDataType(name string) bool {
	return slices.ContainsFunc(dataTypes, func(t reflect.Type) bool { return t.Name() == name })
}

// joinDistinct joins errors and drops those with the same text: an error in a shared part is found in
// every mail.
func joinDistinct(faults []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(faults, func(err error) bool {
		again := seen[err.Error()]
		seen[err.Error()] = true
		return again
	})...)
}

// fieldsOf returns the fields and methods of the data struct with that name, each with a leading dot.
func fieldsOf(name string) []string {
	var out []string
	for _, typ := range dataTypes {
		if typ.Name() != name {
			continue
		}
		for _, field := range reflect.VisibleFields(typ) {
			if field.IsExported() && !field.Anonymous {
				out = append(out, "."+field.Name)
			}
		}
		for i := range typ.NumMethod() {
			if method := typ.Method(i).Name; method != "String" {
				out = append(out, "."+method)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
