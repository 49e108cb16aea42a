package templates

import "errors"

// Subject is a template of a subject line.
type Subject struct{}

// ParseSubject reads a subject template, and runs it on sample data.
func ParseSubject(text string) (*Subject, error) {
	return nil, errors.New("templates: not parsed")
}

// Line fills the template. The line has no control characters and is bounded.
func (s *Subject) Line(data Digest) (string, error) {
	return "", errors.New("templates: not filled")
}
