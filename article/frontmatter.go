package article

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"
)

// maxFrontMatter is how many bytes are searched for the end of front matter.
const maxFrontMatter = 1 << 20

// meta is what a file says of its article before the text begins: keys in lower
// case, each with its line.
type meta struct {
	values map[string]any
	lines  map[string]int
}

func (m meta) has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// splitFrontMatter takes YAML between lines of ---, TOML between lines of +++, or
// a JSON object off the start of a file. bodyLine is the line on which the rest
// begins. It returns false when there is none.
func splitFrontMatter(data []byte) (m meta, body []byte, bodyLine int, found bool, problem *Problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	first, _, _ := bytes.Cut(data, []byte("\n"))
	switch fence := strings.TrimRight(string(first), " \t\r"); {
	case fence == "---" || fence == "+++":
		return splitFenced(data, fence)
	case bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")):
		return splitJSON(data)
	}
	return meta{}, data, 1, false, nil
}

func splitFenced(data []byte, fence string) (meta, []byte, int, bool, *Problem) {
	first, at, number := 0, 0, 0
	for line := range bytes.Lines(data) {
		number++
		at += len(line)
		if number == 1 {
			first = at
			continue
		}
		if strings.TrimRight(string(line), " \t\r\n") == fence {
			m, problem := parseFenced(data[first:at-len(line)], fence)
			return m, data[at:], number + 1, true, problem
		}
		if at > maxFrontMatter {
			break
		}
	}
	return meta{}, nil, 0, true, &Problem{Line: 1, What: "the front matter that begins here never ends", Right: "write a line of " + fence + " after it"}
}

func parseFenced(head []byte, fence string) (meta, *Problem) {
	if fence == "+++" {
		return parseTOML(head)
	}
	return parseYAML(head)
}

func parseYAML(head []byte) (meta, *Problem) {
	m := meta{map[string]any{}, map[string]int{}}
	var root yaml.Node
	if err := yaml.Unmarshal(head, &root); err != nil {
		return m, &Problem{Line: yamlLine(err), What: "the front matter is not YAML: " + trimYAML(err), Right: "quote texts with a colon or a leading special character"}
	}
	if len(root.Content) == 0 {
		return m, nil
	}
	mapping := root.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return m, &Problem{Line: mapping.Line + 1, What: "the front matter is not a list of keys and values", Right: "write lines such as title: …"}
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, node := strings.ToLower(mapping.Content[i].Value), mapping.Content[i+1]
		var value any
		if err := node.Decode(&value); err != nil {
			return m, &Problem{Line: node.Line + 1, What: fmt.Sprintf("%s cannot be read: %s", key, trimYAML(err))}
		}
		// Dates keep the form that they are written in: YAML would drop the zone.
		if node.Kind == yaml.ScalarNode {
			value = node.Value
			if node.Tag == "!!null" {
				value = nil
			}
		}
		m.values[key], m.lines[key] = value, mapping.Content[i].Line+1
	}
	return m, nil
}

var yamlLinePattern = regexp.MustCompile(`line (\d+): `)

// yamlLine finds the line in a YAML error, counted from the file's first line.
func yamlLine(err error) int {
	if found := yamlLinePattern.FindStringSubmatch(err.Error()); found != nil {
		n, _ := strconv.Atoi(found[1])
		return n + 1
	}
	return 1
}

func trimYAML(err error) string {
	return strings.TrimSpace(yamlLinePattern.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), ""))
}

func parseTOML(head []byte) (meta, *Problem) {
	m := meta{map[string]any{}, map[string]int{}}
	values := map[string]any{}
	if err := toml.Unmarshal(head, &values); err != nil {
		line := 1
		var parse toml.ParseError
		if errors.As(err, &parse) {
			line = parse.Position.Line + 1
		}
		return m, &Problem{Line: line, What: "the front matter is not TOML: " + err.Error()}
	}
	for key, value := range values {
		m.values[strings.ToLower(key)] = value
		m.lines[strings.ToLower(key)] = lineOfKey(head, key, "=") + 1
	}
	return m, nil
}

func splitJSON(data []byte) (meta, []byte, int, bool, *Problem) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	values := map[string]any{}
	if err := decoder.Decode(&values); err != nil {
		// Text may begin with a bracket too.
		return meta{}, data, 1, false, nil
	}
	end := int(decoder.InputOffset())
	m := meta{map[string]any{}, map[string]int{}}
	for key, value := range values {
		m.values[strings.ToLower(key)] = value
		m.lines[strings.ToLower(key)] = lineOfKey(data[:end], key, ":")
	}
	return m, data[end:], 1 + bytes.Count(data[:end], []byte("\n")), true, nil
}

// lineOfKey finds the line on which a key stands, for messages.
func lineOfKey(head []byte, key, separator string) int {
	for i, line := range strings.Split(string(head), "\n") {
		name, _, ok := strings.Cut(line, separator)
		if ok && strings.EqualFold(strings.Trim(strings.TrimSpace(name), `"'{`), key) {
			return i + 1
		}
	}
	return 1
}
