package ingest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// meta is what a file says of its article before the text begins: keys in lower
// case, each with its line. A key that is given twice has its last value in values;
// entries hold all of them, in the order of the file where the format keeps one.
type meta struct {
	values  map[string]any
	lines   map[string]int
	entries []entry
	spaced  bool // a text of tags holds several with spaces, as Jekyll writes them
}

// entry is one key of front matter as it is written.
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

// split is a file taken apart: its front matter and its text.
type split struct {
	meta  meta
	body  []byte
	line  int // on which the body begins
	found bool
}

// fencePattern is the first line of fenced front matter. Some generators name the
// language behind the fence, as in ---json.
var fencePattern = regexp.MustCompile(`^(---|\+\+\+|;;;)[ \t]*([A-Za-z]*)[ \t\r]*$`)

// splitFrontMatter takes the front matter off the start of a file, in the forms of
// the usual generators: YAML between lines of ---, TOML between lines of +++, JSON
// between lines of ;;; or as an object, YAML or JSON without the opening fence
// (Hexo), and lines of "Key: value" up to a blank one (Pelican, MultiMarkdown).
func splitFrontMatter(data []byte) (split, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(data, " \t\r\n")
	skipped := data[:len(data)-len(text)]
	blank := bytes.Count(skipped, []byte("\n"))
	if cut := bytes.LastIndexByte(skipped, '\n'); cut+1 < len(skipped) {
		text = data[cut+1:] // an indented first line is no fence
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

// jsonStart tells an object from text that begins with a bracket.
var jsonStart = regexp.MustCompile(`^\s*\{\s*("|\})`)

// languages are what a fence is read as when it names no language.
var languages = map[string]string{"---": "yaml", "+++": "toml", ";;;": "json"}

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

// parseFrontMatter reads front matter in a language. before is how many lines of the file
// stand above it.
func parseFrontMatter(head []byte, language string, before int) (meta, *Problem) {
	switch language {
	case "yaml":
		return parseYAML(head, before)
	case "toml":
		return parseTOML(head, before)
	case "json":
		text := bytes.TrimSpace(head)
		if !bytes.HasPrefix(text, []byte("{")) { // Hexo leaves the brackets out
			head = bytes.Join([][]byte{{'{'}, head, {'}'}}, nil)
		}
		m, _, problem := parseJSON(head, before)
		return m, problem
	}
	return meta{}, &Problem{Line: before, What: fmt.Sprintf("front matter in %q cannot be read", language), Fix: "write it in yaml, toml or json"}
}

func splitJSON(data []byte, blank int) (split, *Problem) {
	m, end, problem := parseJSON(data, blank)
	if problem != nil {
		return split{}, problem
	}
	line := blank + 1 + bytes.Count(data[:end], []byte("\n"))
	return split{meta: m, body: data[end:], line: line, found: true}, nil
}

// keyLine is a line of the front matter that some generators take without a fence.
var keyLine = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_ -]{0,40}):(?:[ \t](.*))?$`)

// splitUnfenced reads front matter that no line opens. It must give a title, so that
// a text which happens to begin with a word and a colon stays a text.
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

// splitHexo reads front matter that only ends in a fence. Blank lines do not end it.
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
	titleLine = regexp.MustCompile(`(?i)^"?title"?[ \t]*:`)
	// yamlLine is a line that front matter without an opening fence may have: a key, an
	// item, a comment or what belongs to the line above.
	yamlLine = regexp.MustCompile(`^([A-Za-z_][\w-]*[ \t]*:([ \t]|$)|[ \t]|- |#)`)
)

// splitKeyLines reads lines of "Key: value" up to the first blank line, as Pelican
// and MultiMarkdown have them. An indented line goes on with the value above.
func splitKeyLines(data []byte, blank int) split {
	s := split{meta: newMeta(), found: true}
	at, number, ended := 0, 0, false
	key, started := "", 0
	var value []string // its lines
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
			return split{} // a text whose first lines have colons
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
