package digest

import (
	"html/template"
	"sync"
)

// sharedParts holds what several variants of an edition have in common. It is safe for concurrent
// use.
type sharedParts struct {
	mu      sync.Mutex
	bodies  map[bodyKey]template.HTML
	minutes map[string]int
}

// bodyKey identifies an article as a mail shows it.
type bodyKey struct {
	id, link string
	language string // of the phrases
}

// Sharing returns an input whose variants share the work that does not depend on the preferences.
func (in Input) Sharing() Input {
	in.shared = &sharedParts{bodies: map[bodyKey]template.HTML{}, minutes: map[string]int{}}
	return in
}

// body returns the HTML that make returned for this key before, or calls it.
func (s *sharedParts) body(key bodyKey, make func() (template.HTML, error)) (template.HTML, error) {
	if s == nil {
		return make()
	}
	s.mu.Lock()
	body, found := s.bodies[key]
	s.mu.Unlock()
	if found {
		return body, nil
	}
	body, err := make()
	if err == nil {
		s.mu.Lock()
		s.bodies[key] = body
		s.mu.Unlock()
	}
	return body, err
}

// readingMinutes returns how long an article takes to read, by its id. text returns its text.
func (s *sharedParts) readingMinutes(id string, text func() string) int {
	if s == nil {
		return readingMinutes(text())
	}
	s.mu.Lock()
	minutes, found := s.minutes[id]
	s.mu.Unlock()
	if !found {
		minutes = readingMinutes(text())
		s.mu.Lock()
		s.minutes[id] = minutes
		s.mu.Unlock()
	}
	return minutes
}
