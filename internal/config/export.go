package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Export returns the file as YAML, with its comments, and with stored values in their place. Secrets
// that stand in the file itself are hidden.
func (c *Config) Export() ([]byte, error) {
	document := c.document
	if document == nil {
		var err error
		if document, err = c.tree(); err != nil {
			return nil, err
		}
	}
	for _, key := range c.literals {
		if node := nodeAt(document, key); node != nil {
			node.Value, node.Style = shownSecret, 0
		}
	}
	return encodeYAML(document)
}

// ExportEntry returns one digest or feed as Export does, such as "digests[weekly]", as a list with one
// entry.
func (c *Config) ExportEntry(list, name string) ([]byte, error) {
	data, err := c.Export()
	if err != nil {
		return nil, err
	}
	root, problem := parseYAML(data, c.path)
	if problem != nil || root == nil {
		return nil, fmt.Errorf("%s has no %s", c.path, list)
	}
	for _, item := range member(root, list).Content {
		if item.Kind == yaml.MappingNode && scalarAt(item, "name") == name {
			sequence := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{item}}
			return encodeYAML(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{textNode(list), sequence}})
		}
	}
	return nil, fmt.Errorf("%s has no %s %s", c.path, list, name)
}

func encodeYAML(node *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

var indexedPattern = regexp.MustCompile(`^([^\[]+)((?:\[\d+\])*)$`)

// nodeAt returns the node at a path such as "relays[0].password"; nil if there is none.
func nodeAt(node *yaml.Node, path string) *yaml.Node {
	for _, part := range strings.Split(path, ".") {
		m := indexedPattern.FindStringSubmatch(part)
		if m == nil || node.Kind != yaml.MappingNode {
			return nil
		}
		node = member(node, m[1])
		for _, digits := range strings.FieldsFunc(m[2], func(r rune) bool { return r == '[' || r == ']' }) {
			index, err := strconv.Atoi(digits)
			if err != nil || index >= len(node.Content) || node.Kind == yaml.MappingNode {
				if node.Kind == yaml.ScalarNode && index == 0 {
					return node // a list of one, written as a single value
				}
				return nil
			}
			node = node.Content[index]
		}
	}
	return node
}
