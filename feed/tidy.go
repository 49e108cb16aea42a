package feed

import (
	"strings"

	"golang.org/x/net/html"
)

// tidy reports whether HTML may stand in a feed as it is: it is written as
// html.Render writes it, and all in it fits. What is not is parsed and written
// anew. Imported HTML is tidy, and to find that out costs a small part of parsing.
func tidy(raw string) bool {
	s := scanner{rest: raw}
	for s.rest != "" {
		if !s.text() || s.rest != "" && !s.tag() {
			return false
		}
	}
	return len(s.open) == 0
}

// scanner reads HTML as long as it is tidy.
type scanner struct {
	rest string
	open nesting
}

// text reads up to the next tag. Nothing but space may stand between the parts of
// a table.
func (s *scanner) text() bool {
	end := strings.IndexByte(s.rest, '<')
	if end < 0 {
		end = len(s.rest)
	}
	text := s.rest[:end]
	s.rest = s.rest[end:]
	if tableParts[s.open.parent()] && strings.Trim(text, " \t\n") != "" {
		return false
	}
	return references(text)
}

func (s *scanner) tag() bool {
	if name, found := strings.CutPrefix(s.rest, "</"); found {
		parent := s.open.parent()
		rest, found := strings.CutPrefix(name, parent+">")
		if parent == "" || !found {
			return false
		}
		s.rest, s.open = rest, s.open[:len(s.open)-1]
		return true
	}
	name := s.name(1)
	if !kept[name] || !s.open.fits(name) || !s.attributes(name) {
		return false
	}
	switch {
	case void[name]:
		s.rest = strings.TrimPrefix(s.rest, "/")
	default:
		s.open = append(s.open, name)
	}
	rest, found := strings.CutPrefix(s.rest, ">")
	s.rest = rest
	return found
}

// name reads a name, after so many characters that lead in to it.
func (s *scanner) name(skip int) string {
	end := skip
	for end < len(s.rest) && ('a' <= s.rest[end] && s.rest[end] <= 'z' || '0' <= s.rest[end] && s.rest[end] <= '9' || s.rest[end] == '-') {
		end++
	}
	name := s.rest[skip:end]
	s.rest = s.rest[end:]
	return name
}

// attributes reads those of an element and checks that they may stay as they are.
func (s *scanner) attributes(element string) bool {
	var seen []string
	for strings.HasPrefix(s.rest, " ") {
		key := s.name(1)
		value, found := strings.CutPrefix(s.rest, `="`)
		end := strings.IndexAny(value, `"<>`)
		if !found || end < 0 || value[end] != '"' {
			return false
		}
		value, s.rest = value[:end], value[end+1:]
		if !attributeKept(key) || contains(seen, key) || !references(value) || !tidyValue(element, key, value) {
			return false
		}
		if mimics(element, seen, value) {
			return false
		}
		seen = append(seen, key)
	}
	return !needsSource[element] || contains(seen, "src") || contains(seen, "srcset")
}

// needsSource are the elements that are nothing without an address.
var needsSource = set(`img source track`)

// tidyValue reports whether an attribute that holds addresses needs no work.
func tidyValue(element, key, value string) bool {
	if key != "srcset" && !addresses[key] {
		return true
	}
	if strings.Contains(value, "&") {
		value = html.UnescapeString(value)
	}
	if settled(value) && key != "srcset" {
		return true
	}
	return value != "" && value == (place{}).attribute(key, value)
}

// mimics reports whether an attribute of a picture, behind its src, looks to
// validators as if it were the src.
func mimics(element string, seen []string, value string) bool {
	return element == "img" && contains(seen, "src") && strings.Contains(value, "src=")
}

func contains(seen []string, name string) bool {
	for _, s := range seen {
		if s == name {
			return true
		}
	}
	return false
}

// addresses are the attributes that hold one address.
var addresses = set(`href src poster cite`)

func attributeKept(name string) bool {
	if name == "" || name == "style" || name == "name" || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "data-") {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' }) < 0
}

// references reports whether every & begins a character reference that all
// parsers read alike.
func references(text string) bool {
	for {
		at := strings.IndexByte(text, '&')
		if at < 0 {
			return true
		}
		text = text[at+1:]
		end := strings.IndexByte(text[:min(len(text), 8)], ';')
		if end < 0 {
			return false
		}
		switch text[:end] {
		case "amp", "lt", "gt", "quot", "#34", "#39", "nbsp":
		default:
			return false
		}
	}
}

// settled reports whether an address needs no work, the quick way for most.
func settled(address string) bool {
	rest, found := strings.CutPrefix(address, "https://")
	if !found {
		rest, found = strings.CutPrefix(address, "http://")
	}
	if !found {
		return false
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '/' && i > 0:
			return isURI(rest[i:])
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.' && i > 0 && rest[i-1] != '.':
		default:
			return false
		}
	}
	return rest != ""
}
