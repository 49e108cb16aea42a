package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// check runs a mail on sample data of every kind and looks at what comes out.
func (s *Set) check(m *Mail) error {
	if slices.Contains(notices, m.Name) {
		return s.checkNotice(m)
	}
	for _, lang := range []string{"en", "ar"} {
		full := Sample(s.words[lang])
		for _, data := range []Digest{full, bare(full), crowded(full)} {
			if err := checkDigest(m, data); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDigest(m *Mail, data Digest) error {
	out, err := m.Render(data)
	if err != nil {
		return err
	}
	html, text := m.fileOf(m.Name+".html"), m.fileOf(m.Name+".txt")
	if !strings.Contains(out.HTML, data.Reader.Unsubscribe) {
		return &Error{File: html, What: "no link to unsubscribe", Right: `<a href="{{.Reader.Unsubscribe}}">{{.Phrase "unsubscribe"}}</a>`}
	}
	if !strings.Contains(out.Text, data.Reader.Unsubscribe) {
		return &Error{File: text, What: "no link to unsubscribe", Right: "a line with {{.Reader.Unsubscribe}}"}
	}
	return checkStyle(html, out.HTML)
}

func (s *Set) checkNotice(m *Mail) error {
	html, text := m.fileOf(m.Name+".html"), m.fileOf(m.Name+".txt")
	if !m.subject {
		return &Error{File: text, What: "no subject", Right: `{{define "subject"}}…{{end}}`}
	}
	for _, lang := range []string{"en", "ar"} {
		full := SampleNotice(s.words[lang])
		for _, data := range []Notice{full, bareNotice(full)} {
			out, err := m.Render(data)
			if err != nil {
				return err
			}
			if data.Link != "" && !strings.Contains(out.HTML, data.Link) {
				return &Error{File: html, What: "the link is missing", Right: `<a href="{{.Link}}">…</a>`}
			}
			if data.Link != "" && !strings.Contains(out.Text, data.Link) {
				return &Error{File: text, What: "the link is missing", Right: "a line with {{.Link}}"}
			}
			if err := checkStyle(html, out.HTML); err != nil {
				return err
			}
		}
	}
	return nil
}

var styleElement = regexp.MustCompile(`(?is)<style[^>]*>(.*?)</style>`)

func checkStyle(file, html string) error {
	bytes := 0
	for _, style := range styleElement.FindAllStringSubmatch(html, -1) {
		bytes += len(style[1])
	}
	if bytes > MaxStyle {
		return &Error{File: file, What: fmt.Sprintf("%d bytes of <style> stay after inlining", bytes),
			Right: fmt.Sprintf("at most %d; Gmail drops what is more", MaxStyle)}
	}
	return nil
}
