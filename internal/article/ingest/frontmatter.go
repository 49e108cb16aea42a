package ingest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// meta holds the front matter of a file. values and lines are by key in lower case; if a key is
// given twice, the last one counts. entries holds all keys, in the order of the file if the
// format keeps it.
type meta struct {
	values  map[string]any
	lines   map[string]int
	entries []entry
	spaced  bool // a text under tags is split at spaces, as Jekyll does
}

// entry is a key of front matter as written, with its value and line.
type entry struct {
	key   string
	value any
	line  int
}

func newMeta() meta { return meta{values: map[string]any{}, lines: map[string]int{}} }

func (m *meta) add(key string, value any, line int) {
	m.entries = append(m.entries, entry{key, value, line})
	key = strings.ToLower(key)
	m.values[key], m.lines[key] = value, line
}

func (m meta) has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// split is a file split into front matter and text.
type split struct {
	meta  meta
	body  []byte
	line  int // first line of the body
	found bool
}

// fencePattern matches the first line of fenced front matter. Some generators write the
// language after the fence, as in ---json.
var fencePattern = regexp.MustCompile(`^(---|\+\+\+|;;;)[ \t]*([A-Za-z]*)[ \t\r]*$`)

// splitFrontMatter splits a file into front matter and text. It reads the forms of the usual
// generators: YAML between lines of ---, TOML between lines of +++, JSON between lines of ;;; or
// as an object, YAML or JSON without the opening fence (Hexo), and lines of "Key: value" up to a
// blank line (Pelican, MultiMarkdown).
func splitFrontMatter(data []byte) (split, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(data, " \t\r\n")
	skipped := data[:len(data)-len(text)]
	blank := bytes.Count(skipped, []byte("\n"))
	if cut := bytes.LastIndexByte(skipped, '\n'); cut+1 < len(skipped) {
		text = data[cut+1:] // keep the indentation: an indented line is not a fence
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	switch fence := fencePattern.FindSubmatch(first); {
	case fence != nil:
		return splitFenced(text, string(fence[1]), strings.ToLower(string(fence[2])), blank)
	case jsonStart.Match(text):
		return splitJSON(text, blank)
	}
	if s, problem := splitUnfenced(text, blank); s.found || problem != nil {
		return s, problem
	}
	return split{body: data, line: 1}, nil
}

// jsonStart matches the start of a JSON object, but not other text that begins with a bracket.
var jsonStart = regexp.MustCompile(`^\s*\{\s*("|\})`)

// languages maps a fence to its language, for fences that do not name one.
var languages = map[string]string{"---": "yaml", "+++": "toml", ";;;": "json"}

// splitFenced reads front matter between two fences. blank is the number of lines before it.
func splitFenced(data []byte, fence, language string, blank int) (split, *Problem) {
	if language == "" || language == "yml" {
		language = languages[fence]
	}
	first, at, number := 0, 0, 0
	for line := range bytes.Lines(data) {
		number++
		at += len(line)
		if number == 1 {
			first = at
			continue
		}
		end := strings.TrimRight(string(line), " \t\r\n")
		if end == fence || end == "..." && language == "yaml" { // YAML 1.2, section 9.1.2
			m, problem := parseFrontMatter(data[first:at-len(line)], language, blank+1)
			m.spaced = language == "yaml"
			return split{meta: m, body: data[at:], line: blank + number + 1, found: true}, problem
		}
		if at > maxFrontMatter {
			return split{}, &Problem{Line: blank + 1, What: fmt.Sprintf("the front matter that begins here is longer than %d KB", maxFrontMatter>>10), Fix: "write a line of " + fence + " after it"}
		}
	}
	return split{}, &Problem{Line: blank + 1, What: "the front matter that begins here never ends", Fix: "write a line of " + fence + " after it"}
}

// parseFrontMatter parses front matter in a language. before is the number of lines above it in
// the file.
func parseFrontMatter(head []byte, language string, before int) (meta, *Problem) {
	switch language {
	case "yaml":
		return parseYAML(head, before)
	case "toml":
		return parseTOML(head, before)
	case "json":
		text := bytes.TrimSpace(head)
		if !bytes.HasPrefix(text, []byte("{")) { // Hexo omits the brackets
			head = bytes.Join([][]byte{{'{'}, head, {'}'}}, nil)
		}
		m, _, problem := parseJSON(head, before)
		return m, problem
	}
	if language == "js" || language == "javascript" {
		return parseJavaScript(head, before)
	}
	return meta{}, &Problem{Line: before, What: fmt.Sprintf("front matter in %q cannot be read", language), Fix: "write it in yaml, toml or json"}
}

// splitJSON reads front matter that is a JSON object.
func splitJSON(data []byte, blank int) (split, *Problem) {
	m, end, problem := parseJSON(data, blank)
	if problem != nil {
		return split{}, problem
	}
	line := blank + 1 + bytes.Count(data[:end], []byte("\n"))
	return split{meta: m, body: data[end:], line: line, found: true}, nil
}

// keyLine matches a line "Key: value" of front matter without fences.
var keyLine = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_ -]{0,40}):(?:[ \t](.*))?$`)

// splitUnfenced reads front matter without an opening fence. It must have a title; otherwise a
// text that happens to begin with a word and a colon would be taken for front matter.
func splitUnfenced(data []byte, blank int) (split, *Problem) {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	line := strings.TrimRight(string(first), " \t\r")
	if strings.HasPrefix(line, `"`) {
		return splitHexo(data, ";;;", blank)
	}
	if !keyLine.MatchString(line) {
		return split{}, nil
	}
	if s, problem := splitHexo(data, "---", blank); s.found || problem != nil {
		return s, problem
	}
	return splitKeyLines(data, blank), nil
}

// splitHexo reads front matter with only a closing fence. It may contain blank lines.
func splitHexo(data []byte, fence string, blank int) (split, *Problem) {
	at, number, title := 0, 0, false
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimRight(string(line), " \t\r\n")
		if text == fence {
			if !title {
				return split{}, nil
			}
			m, problem := parseFrontMatter(data[:at], languages[fence], blank)
			return split{meta: m, body: data[at+len(line):], line: blank + number + 1, found: true}, problem
		}
		if fence == "---" && text != "" && !yamlLine.MatchString(text) {
			return split{}, nil
		}
		title = title || titleLine.MatchString(text)
		if at += len(line); at > maxFrontMatter {
			break
		}
	}
	return split{}, nil
}

var (
	titleLine = regexp.MustCompile(`(?i)^"?(?:title"?[ \t]*:|date"?[ \t]*:[ \t]*"?\d)`)
	// yamlLine matches the lines that front matter without an opening fence may have: keys, list
	// items, comments and indented lines.
	yamlLine = regexp.MustCompile(`^([A-Za-z_][\w-]*[ \t]*:([ \t]|$)|[ \t]|- |#)`)
)

// splitKeyLines reads lines of "Key: value" up to the first blank line (Pelican, MultiMarkdown).
// An indented line continues the value above it.
func splitKeyLines(data []byte, blank int) split {
	s := split{meta: newMeta(), found: true}
	at, number, ended := 0, 0, false
	key, started := "", 0
	var value []string // lines of the value of key
	flush := func() {
		if key != "" {
			s.meta.add(key, strings.Join(value, " "), started)
		}
	}
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimRight(string(line), " \t\r\n")
		found := keyLine.FindStringSubmatch(text)
		switch {
		case text == "":
			at += len(line)
			ended = true
		case found != nil:
			flush()
			key, started = strings.ReplaceAll(strings.TrimSpace(found[1]), " ", "_"), blank+number
			value = []string{strings.TrimSpace(found[2])}
			at += len(line)
		case key != "" && strings.TrimLeft(text, " \t") != text:
			value = append(value, strings.TrimSpace(text))
			at += len(line)
		default:
			return split{} // not front matter, but a text
		}
		if ended || at > maxFrontMatter {
			break
		}
	}
	flush()
	if !s.meta.has("title") || at > maxFrontMatter {
		return split{}
	}
	s.body, s.line = data[at:], blank+number+1
	return s
}
