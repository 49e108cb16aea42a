package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Stored is a value that was set in the admin. It replaces the file's.
type Stored struct {
	Key   string // such as "site.title" or "digests[weekly].schedule"
	Value string // in JSON
}

// StoredPlace is named in place of the file in problems of stored values.
const StoredPlace = "settings of the admin"

// AddedEntry is the value of a key such as "digests[weekly]", which adds an entry to the list.
const AddedEntry = "true"

// With returns the configuration with stored values in place of the file's, after the same checks as
// Load. Stored values of former calls do not count. Environment variables are not expanded in stored
// values. Values whose key may not be set, or whose digest or feed does not exist, are left out; see
// Unused. The error is Problems, with the keys of stored values.
func (c *Config) With(stored []Stored) (*Config, error) {
	file := c.File()
	if len(stored) == 0 {
		return file, nil
	}
	document, err := file.tree()
	if err != nil {
		return nil, err
	}
	o := overlay{file: file, document: document, storedKeys: map[string]string{}}
	stored = slices.SortedFunc(slices.Values(stored), func(a, b Stored) int { return cmp.Compare(a.Key, b.Key) })
	for _, s := range stored {
		if err := o.set(s); err != nil {
			return nil, err
		}
	}
	out, err := build(o.document, file.path, o.storedKeys)
	if err != nil {
		return nil, err
	}
	out.source, out.file, out.document, out.unused = file.source, file, o.document, o.unused
	return out, nil
}

// File returns the configuration as the file has it, without stored values.
func (c *Config) File() *Config {
	if c.file != nil {
		return c.file
	}
	return c
}

// Unused returns the keys of stored values that have no place: their digest or feed is no longer in
// the file, or the key may not be set.
func (c *Config) Unused() []string { return c.unused }

// tree returns the file's YAML without aliases, so that a change of one key changes no other.
func (c *Config) tree() (*yaml.Node, error) {
	data, err := c.YAML() // of one that was not read from a file, and has no secrets
	if c.source != nil {
		data = c.source.data
	}
	if err != nil {
		return nil, err
	}
	root, problem := parseYAML(data, c.path)
	if problem != nil {
		return nil, Problems{*problem}
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	nodes := 0
	out, ok := copyNode(root, &nodes)
	if !ok {
		return nil, Problems{{File: c.path, What: "its aliases make it too large for settings of the admin", Fix: "write the values out"}}
	}
	return out, nil
}

// maxNodes bounds the YAML nodes of a file without aliases.
const maxNodes = 100_000

// copyNode returns a copy of a node with the targets of aliases in their place. ok is false if it has
// too many nodes.
func copyNode(node *yaml.Node, nodes *int) (out *yaml.Node, ok bool) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if *nodes++; *nodes > maxNodes {
		return nil, false
	}
	made := *node
	made.Anchor, made.Content = "", make([]*yaml.Node, len(node.Content))
	for i, below := range node.Content {
		if made.Content[i], ok = copyNode(below, nodes); !ok {
			return nil, false
		}
	}
	if made.Kind == yaml.MappingNode { // without merge keys
		pairs, fault := pairsOf(&made, 0, nodes)
		if fault != nil {
			return nil, false
		}
		made.Content = pairs
	}
	return &made, true
}

// overlay puts stored values in place of those of a document.
type overlay struct {
	file       *Config
	document   *yaml.Node
	storedKeys map[string]string
	unused     []string
}

// segment is one part of a key: a name, and with an entry the name of an entry of its list.
type segment struct{ name, entry string }

var segmentPattern = regexp.MustCompile(`^([a-z_]+)(?:\[([a-z0-9][a-z0-9-]{0,62})\])?$`)

// segments splits a key. It returns nil for a key that is malformed.
func segments(key string) (out []segment) {
	for _, part := range strings.Split(key, ".") {
		m := segmentPattern.FindStringSubmatch(part)
		if m == nil {
			return nil
		}
		out = append(out, segment{m[1], m[2]})
	}
	return out
}

func (o *overlay) set(s Stored) error {
	parts := segments(s.Key)
	if parts == nil || !MaySet(s.Key) {
		o.unused = append(o.unused, s.Key)
		return nil
	}
	adds := len(parts) == 1
	path, at := "", o.document
	for i, part := range parts {
		path = join(path, part.name)
		if i == len(parts)-1 && !adds {
			value, err := valueNode(s)
			if err == nil {
				old := member(at, part.name)
				value.HeadComment, value.LineComment, value.FootComment = old.HeadComment, old.LineComment, old.FootComment
				if old.Kind == value.Kind && old.Tag == value.Tag {
					value.Style = old.Style
				}
				*old = *value
				o.storedKeys[path] = s.Key
			}
			return err
		}
		at = member(at, part.name)
		if part.entry == "" {
			ensureKind(at, yaml.MappingNode)
			continue
		}
		index := o.entry(at, part, adds)
		if index < 0 {
			o.unused = append(o.unused, s.Key)
			return nil
		}
		at, path = at.Content[index], fmt.Sprintf("%s[%d]", path, index)
		if adds && !o.file.has(part) {
			o.storedKeys[path] = s.Key
		}
	}
	return nil
}

// has reports whether the file has an entry.
func (c *Config) has(part segment) bool {
	_, found := c.find([]segment{part})
	return found
}

// entry returns the index of a named entry in a list. It adds the entry if that is wanted; otherwise
// it returns -1 if there is none.
func (o *overlay) entry(list *yaml.Node, part segment, add bool) int {
	ensureKind(list, yaml.SequenceNode)
	if len(list.Content) == 0 && part.name == "feeds" { // those that stand for none in the file
		for _, f := range o.file.Feeds {
			list.Content = append(list.Content, namedEntry(f.Name))
		}
	}
	for i, item := range list.Content {
		if item.Kind == yaml.MappingNode && scalarAt(item, "name") == part.entry {
			return i
		}
	}
	if !add {
		return -1
	}
	list.Content = append(list.Content, namedEntry(part.entry))
	return len(list.Content) - 1
}

func namedEntry(name string) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{textNode("name"), textNode(name)}}
}

func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// scalarAt returns the value of a key of a mapping as text.
func scalarAt(mapping *yaml.Node, key string) string {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1].Value
		}
	}
	return ""
}

// member returns the value of a key of a mapping. It adds the key if it is missing.
func member(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	mapping.Content = append(mapping.Content, textNode(key), value)
	return value
}

// ensureKind makes a node a mapping or a list, if it is neither yet. A short form such as "notify: owners"
// is replaced.
func ensureKind(node *yaml.Node, kind yaml.Kind) {
	if node.Kind != kind {
		*node = yaml.Node{Kind: kind, Tag: map[yaml.Kind]string{yaml.MappingNode: "!!map", yaml.SequenceNode: "!!seq"}[kind]}
	}
}

// valueNode returns a stored value as YAML. References to environment variables are escaped: a text of
// an editor never reads one.
func valueNode(s Stored) (*yaml.Node, error) {
	wrong := Problems{{File: StoredPlace, Key: s.Key, What: "the stored value is not JSON", Fix: "use the file's value"}}
	if !json.Valid([]byte(s.Value)) {
		return nil, wrong
	}
	decoder := json.NewDecoder(strings.NewReader(s.Value))
	decoder.UseNumber()
	node, err := jsonNode(decoder)
	if err != nil {
		return nil, wrong
	}
	literalText(node)
	return node, nil
}

// jsonNode returns the next value of valid JSON as YAML. The YAML library cannot read it itself: JSON may
// write a character beyond U+FFFF as two escapes.
func jsonNode(decoder *json.Decoder) (*yaml.Node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if value == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		for decoder.More() {
			below, err := jsonNode(decoder)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, below)
		}
		_, err := decoder.Token() // the closing bracket
		return node, err
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(value.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}, nil
	case string:
		return textNode(value), nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
}

func literalText(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
		node.Value = strings.ReplaceAll(node.Value, "${", "$${")
	}
	for _, below := range node.Content {
		literalText(below)
	}
}

// named returns problems with the keys of stored values, and with the names of digests and feeds in
// keys if there are stored values.
func (c *Config) named(problems Problems) Problems {
	if c.storedKeys == nil {
		return problems
	}
	for i := range problems {
		p := &problems[i]
		stored := ""
		for key := p.Key; key != "" && stored == ""; key = key[:max(0, strings.LastIndexAny(key, ".["))] {
			stored = c.storedKeys[key]
		}
		p.Key = c.KeyWithName(p.Key)
		if stored != "" {
			p.File, p.Line = StoredPlace, 0
		}
	}
	return problems
}

var indexPattern = regexp.MustCompile(`^(digests|feeds)\[(\d+)\]`)

// KeyWithName returns a key such as "digests[0].schedule" with the name of the entry, such as
// "digests[weekly].schedule".
func (c *Config) KeyWithName(key string) string {
	m := indexPattern.FindStringSubmatch(key)
	if m == nil {
		return key
	}
	name, index := "", 0
	if n, err := strconv.Atoi(m[2]); err == nil {
		index = n
	}
	switch {
	case m[1] == "digests" && index < len(c.Digests):
		name = c.Digests[index].Name
	case m[1] == "feeds" && index < len(c.Feeds):
		name = c.Feeds[index].Name
	}
	if name == "" {
		return key
	}
	return m[1] + "[" + name + "]" + strings.TrimPrefix(key, m[0])
}

// Value returns the value of a key that may be set, with defaults filled in, as JSON. found is false if
// the key may not be set, or if there is no such digest or feed.
func (c *Config) Value(key string) (value string, found bool) {
	parts := segments(key)
	if parts == nil || !MaySet(key) {
		return "", false
	}
	v, found := c.find(parts)
	if !found {
		return "", false
	}
	if len(parts) == 1 {
		return AddedEntry, true
	}
	data, err := json.Marshal(plainMap(nodeOf(v)))
	return string(data), err == nil
}

// find returns the value at a key.
func (c *Config) find(parts []segment) (reflect.Value, bool) {
	v := reflect.ValueOf(c).Elem()
	for _, part := range parts {
		if v.Kind() != reflect.Struct {
			return v, false
		}
		v = fieldOf(v, part.name)
		if !v.IsValid() {
			return v, false
		}
		if part.entry == "" {
			continue
		}
		list := v
		v = reflect.Value{}
		for i := range list.Len() {
			if name := list.Index(i).FieldByName("Name"); name.IsValid() && name.String() == part.entry {
				v = list.Index(i)
			}
		}
		if !v.IsValid() {
			return v, false
		}
	}
	return v, true
}

// fieldOf returns the field of a struct with a key; it is invalid if there is none.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
