package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// mergeFault is a merge key whose value cannot be merged.
type mergeFault struct {
	node      *yaml.Node
	what, fix string
}

// pairsOf returns the keys of a mapping, each followed by its value: first its own, and then those of the
// mappings that it merges with "<<", as far as it has none of its own (https://yaml.org/type/merge.html). Of
// a list of mappings the first one that has a key counts. nodes counts the nodes that were read.
func pairsOf(mapping *yaml.Node, depth int, nodes *int) ([]*yaml.Node, *mergeFault) {
	if depth > maxDepth {
		return nil, &mergeFault{mapping, "it refers to itself", "remove the alias"}
	}
	var out, merged []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if *nodes++; *nodes > maxNodes {
			return nil, &mergeFault{mapping, "the aliases make the file too large", "write the values out"}
		}
		if name, value := mapping.Content[i], mapping.Content[i+1]; name.Tag == "!!merge" {
			merged = append(mergedNodes(value), merged...) // of two such keys the last one counts
		} else {
			out = append(out, name, value)
		}
	}
	for _, one := range merged {
		if one = aliased(one); one.Kind != yaml.MappingNode {
			return nil, &mergeFault{one, "the value is " + kindOf(one), "merge a mapping, such as <<: *name"}
		}
		below, fault := pairsOf(one, depth+1, nodes)
		if fault != nil {
			return nil, fault
		}
		for i := 0; i < len(below); i += 2 {
			if !hasKey(out, below[i].Value) {
				out = append(out, below[i], below[i+1])
			}
		}
	}
	return out, nil
}

func hasKey(pairs []*yaml.Node, key string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].Value == key {
			return true
		}
	}
	return false
}

// mergedNodes returns the mappings that the value of a merge key names.
func mergedNodes(value *yaml.Node) []*yaml.Node {
	if list := aliased(value); list.Kind == yaml.SequenceNode {
		return slices.Clone(list.Content)
	}
	return []*yaml.Node{value}
}

// aliased returns the node that an alias stands for, and other nodes themselves.
func aliased(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
