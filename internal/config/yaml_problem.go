package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML returns the document's root, nil for an empty document.
func parseYAML(data []byte, path string) (*yaml.Node, *Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, yamlProblem(err, data, path)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, &Problem{File: path, Line: second.Line, What: "a second document begins here", Fix: "remove the line with three hyphens"}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlProblem(err, data, path)
	}
	return document.Content[0], nil
}

// yamlLine matches the line in errors of the YAML library.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// parserError matches errors of the library's parser; those of its scanner count lines from 1.
var parserError = regexp.MustCompile(`^(did not find expected (<|node content|'-' indicator|key|',' or)|found undefined tag handle)`)

// yamlFixes are the fixes for errors of the YAML library, by a part of their text. The first one counts.
var yamlFixes = []struct{ part, fix string }{
	{"tab character that violates indentation", "indent with spaces, not with tabs"},
	{"mapping values are not allowed", `put a value with a colon in quotes; otherwise indent the line like the one before it`},
	{"unexpected end of stream", "close the quotes that begin here"},
	{"expected ',' or", "close the bracket that begins here"},
	{"did not find expected key", "indent the keys from this line on alike"},
	{"did not find expected '-' indicator", "indent the items from this line on alike"},
	{"could not find expected ':'", "write a colon and a space after the key"},
	{"unknown anchor", "put a value that begins with * in quotes"},
	{"undefined tag handle", "put a value that begins with ! in quotes"},
	{"unknown escape character", "use single quotes for a value with backslashes"},
	{"control characters are not allowed", "remove the character, and save the file as UTF-8"},
	{"UTF-8", "save the file as UTF-8"},
}

func yamlProblem(err error, data []byte, path string) *Problem {
	line, what, fix := ExplainYAML(err, data)
	return &Problem{File: path, Line: line, What: what, Fix: fix}
}

// ExplainYAML returns the line in data of an error of the YAML library, 0 if it has none, the text of the error
// without it, and how to fix it, which may be empty.
func ExplainYAML(err error, data []byte) (line int, what, fix string) {
	what = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = strings.Replace(what, m[0], "", 1)
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	line = lineOfError(what, lines, line)
	for _, known := range yamlFixes {
		if strings.Contains(what, known.part) {
			return line, what, known.fix
		}
	}
	if strings.Contains(what, "cannot start any token") {
		fix = "put a value that begins with @, % or ` in quotes"
		if line > 0 && line <= len(lines) && indentedWithTab(lines[line-1]) {
			fix = "indent with spaces, not with tabs"
		}
	}
	return line, what, fix
}

// lineOfError returns the line of an error for which the YAML library gives none or the one before, and 0
// if it cannot be found. named is the line that the library gives, or 0.
func lineOfError(what string, lines []string, named int) int {
	var is func(line string) bool
	switch {
	case strings.Contains(what, "control characters"):
		is = func(line string) bool { return strings.ContainsFunc(line, isYAMLControl) }
	case strings.Contains(what, "UTF-8"):
		is = func(line string) bool { return !utf8.ValidString(line) }
	case strings.Contains(what, "unknown anchor"):
		_, name, _ := strings.Cut(what, "'")
		name, _, _ = strings.Cut(name, "'")
		is = func(line string) bool { return strings.Contains(line, "*"+name) }
	case strings.Contains(what, "tab character that violates"):
		is = indentedWithTab
	case named > 0 && parserError.MatchString(what):
		return named + 1 // the library counts these from 0
	default:
		return max(named, 1) // the library leaves out the first line
	}
	for i := max(named-1, 0); i < len(lines); i++ {
		if is(lines[i]) {
			return i + 1
		}
	}
	return named
}

// isYAMLControl reports whether YAML forbids a character (YAML 1.2, section 5.1).
func isYAMLControl(r rune) bool {
	return r < ' ' && r != '\t' && r != '\r' || r == 0x7F || r >= 0x80 && r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF
}

// indentedWithTab reports whether a tab stands before the text of a line.
func indentedWithTab(line string) bool {
	return strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t")
}
