package templates

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// check runs a mail on sample data of every kind and looks at what comes out.
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

func (s *Set) checkDigest(m *Mail, words *Phrases) error {
	full := Sample(words)
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

func (s *Set) checkNotice(m *Mail, words *Phrases) error {
	if !m.subject {
		return &Error{File: m.file(".txt"), What: "no subject", Fix: `{{define "subject"}}…{{end}}`}
	}
	full := SampleNotice(words)
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

// checkStyle renders the mail to the end and counts what is left of its styles.
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
			Fix: fmt.Sprintf("at most %d; Gmail drops what is more", MaxStyle),
		}
	}
	return nil
}
