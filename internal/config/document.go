package config

import "reflect"

// Document is a YAML file other than the configuration that was read with the same checks.
type Document struct {
	name  string
	lines map[string]int
}

// ReadDocument reads a YAML document into a struct with yaml tags. It refuses unknown and duplicate
// keys, and expands no variables. name names the document in messages. The error is Problems.
func ReadDocument(data []byte, name string, into any) (*Document, error) {
	d := &decoder{file: name, lines: map[string]int{}}
	root, problem := parseYAML(data, name)
	if problem != nil {
		return nil, Problems{*problem}
	}
	if root != nil {
		d.value(root, reflect.ValueOf(into).Elem(), "")
	}
	if len(d.problems) > 0 {
		return nil, d.problems.sorted()
	}
	return &Document{name: name, lines: d.lines}, nil
}

// Has reports whether the document has a key, such as "articles[0].form", even without a value.
func (d *Document) Has(key string) bool { return d.lines[key] > 0 }

// Problem returns a problem at a key, in the line of the key or of the nearest one above it.
func (d *Document) Problem(key, what, fix string) Problem {
	return Problem{File: d.name, Line: lineOf(d.lines, key), Key: key, What: what, Fix: fix}
}
