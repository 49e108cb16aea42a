package ingest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"

	"github.com/tidings-press/tidings/internal/config"
)

// Limits of front matter, far above what people write. Without them 20 KB of dotted TOML keys
// take more than a gigabyte, and a few nested YAML aliases take any amount of memory.
const (
	maxFrontMatter = 256 << 10 // bytes
	maxNested      = 32        // nesting of lists and mappings
	maxValues      = 20_000    // values, including those that aliases repeat
)

// budget is the number of values that may still be read from the front matter of a file.
type budget struct{ left int }

var (
	errDeep = fmt.Errorf("lists and mappings are nested more than %d deep", maxNested)
	errMany = fmt.Errorf("there are more than %d values", maxValues)
)

// take counts one value and returns an error if there are too many or it is nested too deeply.
func (b *budget) take(depth int) error {
	if b.left--; b.left < 0 {
		return errMany
	}
	if depth > maxNested {
		return errDeep
	}
	return nil
}

// tooLargeProblem reports front matter that exceeds a limit.
func tooLargeProblem(line int, err error) *Problem {
	return &Problem{Line: line, What: "the front matter cannot be read: " + err.Error(), Fix: "write it shorter and flatter"}
}

// parseYAML parses YAML front matter. before is the number of lines above it in the file.
func parseYAML(head []byte, before int) (meta, *Problem) {
	m := newMeta()
	var root yaml.Node
	if err := yaml.Unmarshal(head, &root); err != nil {
		line, what, fix := config.ExplainYAML(err, head)
		return m, &Problem{Line: line + before, What: "the front matter is not YAML: " + what, Fix: cmp.Or(fix, "quote texts with a colon or a leading special character")}
	}
	if len(root.Content) == 0 {
		return m, nil
	}
	mapping := root.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return m, &Problem{Line: mapping.Line + before, What: "the front matter is not a list of keys and values", Fix: "write lines such as title: …"}
	}
	b := &budget{left: maxValues}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, line := mapping.Content[i], mapping.Content[i].Line+before
		if key.Value == "<<" {
			return m, mergeProblem(line)
		}
		value, err := b.yaml(mapping.Content[i+1], 1)
		if errors.Is(err, errMerge) {
			return m, mergeProblem(line)
		}
		if err != nil {
			return m, tooLargeProblem(line, err)
		}
		m.add(key.Value, value, line)
	}
	return m, nil
}

// errMerge reports a merge key in a mapping.
var errMerge = errors.New("merge key")

func mergeProblem(line int) *Problem {
	return &Problem{Line: line, What: "merge keys (<<) are not read", Fix: "write the keys themselves"}
}

// yaml converts a node to lists, mappings and texts. Scalars stay texts as they are written in
// the file, since the YAML decoder would drop the zone of a date and the last zero of 3.10.
func (b *budget) yaml(n *yaml.Node, depth int) (any, error) {
	if err := b.take(depth); err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.AliasNode:
		return b.yaml(n.Alias, depth+1)
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			value, err := b.yaml(item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
		}
		return out, nil
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" { // the keys that it brings may withhold the article
				return nil, errMerge
			}
			value, err := b.yaml(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			out[n.Content[i].Value] = value
		}
		return out, nil
	}
	if n.Tag == "!!null" {
		return nil, nil
	}
	return n.Value, nil
}

// parseTOML parses TOML front matter. before is the number of lines above it in the file.
func parseTOML(head []byte, before int) (meta, *Problem) {
	m := newMeta()
	if line, err := scanTOML(head); err != nil {
		return m, tooLargeProblem(line+before, err)
	}
	values := map[string]any{}
	if err := toml.Unmarshal(head, &values); err != nil {
		line := 1
		var parse toml.ParseError
		if errors.As(err, &parse) {
			line = parse.Position.Line
		}
		return m, &Problem{Line: line + before, What: "the front matter is not TOML: " + err.Error(), Fix: "write key = value, with texts in quotes"}
	}
	lines := tomlKeyLines(head)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		line := max(lines[strings.ToLower(key)], 1) + before
		m.add(key, values[key], line)
	}
	return m, nil
}

// scanTOML returns an error, with its line, for TOML that is nested too deeply or has too long
// dotted keys or too many values. It runs before the TOML library, which would use too much
// memory on such input.
func scanTOML(head []byte) (line int, err error) {
	line = 1
	depth, dots, values := 0, 0, 0
	for i := 0; i < len(head); i++ {
		switch c := head[i]; c {
		case '\n':
			line, dots = line+1, 0
		case '#':
			if end := bytes.IndexByte(head[i:], '\n'); end > 0 {
				i += end - 1
			} else {
				return line, nil
			}
		case '"', '\'':
			length := tomlString(head[i:])
			line += bytes.Count(head[i:i+length], []byte("\n"))
			i += length - 1
		case '[', '{':
			depth++
			values++
			dots = 0
		case ']', '}':
			depth = max(depth-1, 0)
			dots = 0
		case '=', ',':
			values++
			dots = 0
		case '.':
			dots++
		}
		if depth > maxNested || dots > maxNested {
			return line, errDeep
		}
		if values > maxValues {
			return line, errMany
		}
	}
	return line, nil
}

// tomlString returns the length of the string at the start of text (TOML 1.0, String).
func tomlString(text []byte) int {
	quote := text[:1]
	if long := bytes.Repeat(quote, 3); bytes.HasPrefix(text, long) {
		quote = long
	}
	for i := len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case bytes.HasPrefix(text[i:], quote):
			return i + len(quote)
		case text[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(text)
}

// tomlKeyLines returns the first line of each key, for messages.
func tomlKeyLines(head []byte) map[string]int {
	out := map[string]int{}
	number := 0
	for line := range bytes.Lines(head) {
		number++
		name, _, found := strings.Cut(string(line), "=")
		name = strings.TrimSpace(name)
		if !found && !strings.HasPrefix(name, "[") {
			continue
		}
		name = strings.ToLower(strings.Trim(name, `"'[] `))
		for _, key := range []string{name, name[:max(strings.IndexByte(name, '.'), 0)]} {
			if _, known := out[key]; !known {
				out[key] = number
			}
		}
	}
	return out
}

// parseJSON parses the object at the start of data. It returns the position after it.
func parseJSON(data []byte, before int) (m meta, end int, problem *Problem) {
	m = newMeta()
	head := data[:min(len(data), maxFrontMatter)]
	reader := jsonReader{budget: budget{left: maxValues}, decoder: json.NewDecoder(bytes.NewReader(head))}
	reader.decoder.UseNumber()
	line, counted := 1+before, 0
	currentLine := func() int {
		at := min(int(reader.decoder.InputOffset()), len(head))
		line += bytes.Count(head[counted:at], []byte("\n"))
		counted = at
		return line
	}
	err := reader.object(func(key string) error {
		line := currentLine()
		value, err := reader.value(2)
		if err == nil {
			m.add(key, value, line)
		}
		return err
	})
	if err != nil {
		line := currentLine()
		if errors.Is(err, errDeep) || errors.Is(err, errMany) {
			return m, 0, tooLargeProblem(line, err)
		}
		if len(data) > len(head) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
			err = fmt.Errorf("it is longer than %d KB", maxFrontMatter>>10)
		}
		return m, 0, &Problem{Line: line, What: "the front matter is not JSON: " + jsonError(err), Fix: `write {"title": "…", "date": "2026-11-23"}`}
	}
	return m, int(reader.decoder.InputOffset()), nil
}

// jsonReader reads JSON with limits on nesting and the number of values. It reports keys that
// are given twice, which decoding into a map would hide.
type jsonReader struct {
	budget
	decoder *json.Decoder
}

// object reads an object. It calls value for each key; value must read the value.
func (r *jsonReader) object(value func(key string) error) error {
	token, err := r.decoder.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return fmt.Errorf("it begins with %v instead of a bracket {", token)
	}
	return r.members(value)
}

// members reads the rest of an object after its opening bracket; see object.
func (r *jsonReader) members(value func(key string) error) error {
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if err := value(key); err != nil {
			return err
		}
	}
	_, err := r.decoder.Token()
	return err
}

func (r *jsonReader) value(depth int) (any, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	if err := r.take(depth); err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		out := map[string]any{}
		err := r.members(func(key string) error {
			value, err := r.value(depth + 1)
			out[key] = value
			return err
		})
		return out, err
	case json.Delim('['):
		out := []any{}
		for r.decoder.More() {
			value, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
		}
		_, err := r.decoder.Token()
		return out, err
	}
	return token, nil
}

var (
	// jsLiteral matches what contains no names: texts and comments.
	jsLiteral = regexp.MustCompile("(?s)\"(?:[^\"\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\n]|\\\\.)*'|`[^`]*`|//[^\n]*|/\\*.*?\\*/")
	// jsName matches a name, and what gives it a value.
	jsName = regexp.MustCompile(`([A-Za-z_]\w*)(\s*(?:=[^=>]|=$|:))?`)
)

// withholding returns the first name in a script that may withhold the article, and its position.
func withholding(script []byte) (name string, at int) {
	for _, found := range jsLiteral.FindAllIndex(script, -1) {
		blank(script, found[0], found[1])
	}
	for _, found := range jsName.FindAllSubmatchIndex(script, -1) {
		name := string(script[found[2]:found[3]])
		normal := normalKey(name)
		key, known := visibilityKeys[normal]
		if known && (key.lenient || key.kind == keyIgnored) || aboutPublisher.MatchString(normal) {
			continue
		}
		if known && found[4] >= 0 || looksLikeVisibility.MatchString(normal) {
			return name, found[2]
		}
	}
	return "", 0
}

// blank writes spaces over a part of a text, except for its line ends.
func blank(text []byte, from, to int) {
	for i := from; i < to; i++ {
		if text[i] != '\n' {
			text[i] = ' '
		}
	}
}

// declaration matches a declaration at the start of a line of front matter in JavaScript
// (Eleventy), and literal the values that are read from it.
var (
	declaration = regexp.MustCompile(`(?m)^[ \t]*(?:const|let|var)[ \t]+([A-Za-z_]\w*)[ \t]*=[ \t]*([^\n]*)`)
	literal     = regexp.MustCompile(`^("(?:[^"\\\n]|\\.)*"|'[^'\\\n]*'|true|false|-?\d+(?:\.\d+)?|\[(?:\s*(?:"[^"\\\n]*"|'[^'\\\n]*')\s*,?)*\])\s*;?\s*(?://.*)?$`)
	quoted      = regexp.MustCompile(`"([^"\\\n]*)"|'([^'\\\n]*)'`)
)

// parseJavaScript reads the constants of front matter in JavaScript that are texts, numbers,
// truth values or lists of texts. Scripts are not run. Other values are ignored, unless their
// name may withhold the article.
func parseJavaScript(head []byte, before int) (meta, *Problem) {
	m := newMeta()
	fix := "write it in yaml, toml or json"
	unread := bytes.Clone(head) // with spaces in place of what is understood
	for _, found := range declaration.FindAllSubmatchIndex(head, -1) {
		key, value := string(head[found[2]:found[3]]), strings.TrimSpace(string(head[found[4]:found[5]]))
		line := before + 1 + bytes.Count(head[:found[2]], []byte("\n"))
		read := literal.FindStringSubmatch(value)
		switch {
		case read == nil && (mayBeVisibilityKey(key) || key == "title" || key == "date"):
			return m, &Problem{Line: line, What: fmt.Sprintf("the front matter is a script that cannot be worked out here: %s", key), Fix: fix}
		case read == nil:
			continue
		case read[1][0] == '[':
			items := []any{}
			for _, item := range quoted.FindAllStringSubmatch(read[1], maxNames) {
				items = append(items, item[1]+item[2])
			}
			m.add(key, items, line)
		default:
			m.add(key, strings.Trim(read[1], `"'`), line)
		}
		blank(unread, found[0], found[1])
	}
	if name, at := withholding(unread); name != "" {
		return m, &Problem{Line: before + 1 + bytes.Count(head[:at], []byte("\n")), What: fmt.Sprintf("the front matter is a script that cannot be worked out here: %s may withhold the article", name), Fix: fix}
	}
	if len(m.entries) == 0 && bytes.Contains(head, []byte("{")) && !declaration.Match(head) {
		return m, &Problem{Line: before + 1, What: "the front matter is a script that cannot be worked out here", Fix: fix}
	}
	return m, nil
}
