package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tidings-press/tidings/internal/words"
)

// decoder fills a Config from YAML nodes and collects all problems. The YAML library's own decoder
// stops at the first kind of problem and makes no suggestions.
type decoder struct {
	file     string
	env      func(string) (string, bool) // nil expands no variables
	lines    map[string]int
	problems Problems
	literals []string // keys whose secrets are in the file itself
	depth    int      // of nested values; limited, since an alias may refer to itself
	nodes    int      // decoded so far, those of aliases each time
}

const maxDepth = 50

// maxItems bounds the items of a list. Real ones have fewer than a hundred.
const maxItems = 10_000

func (d *decoder) wrong(line int, key, what, fix string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Key: shortened(key), What: shortened(what), Fix: fix})
}

// value sets into from a node. key is the node's path.
func (d *decoder) value(node *yaml.Node, into reflect.Value, key string) {
	if d.depth++; d.depth > maxDepth {
		d.wrong(node.Line, key, "it refers to itself", "remove the alias")
		return
	}
	defer func() { d.depth-- }()
	if d.nodes++; d.nodes > maxNodes { // a few lists of aliases to each other would fill the memory
		if d.nodes == maxNodes+1 {
			d.wrong(node.Line, key, "the aliases make the file too large", "write the values out")
		}
		return
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if d.lines[key] == 0 {
		d.lines[key] = node.Line
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // "key:" with nothing after it leaves the default
	}
	if into.Type() == reflect.TypeFor[Text]() {
		d.text(node, into, key)
		return
	}
	if into.Type() == reflect.TypeFor[Notify]() && node.Kind == yaml.ScalarNode {
		into = into.FieldByName("To")
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(node, into.Elem(), key)
	case reflect.Struct:
		d.mapping(node, into, key)
	case reflect.Slice:
		d.list(node, into, key)
	default:
		d.scalar(node, into, key)
	}
}

// unquotedColor reports a color without quotes, which is a comment on its key in YAML.
func (d *decoder) unquotedColor(name *yaml.Node, key string) {
	if color, _, _ := strings.Cut(name.LineComment, " "); colorPattern.MatchString(color) || shortColorPattern.MatchString(color) {
		d.wrong(name.Line, key, "the color "+color+" is a comment", `put it in quotes: "`+color+`"`)
	}
}

func (d *decoder) mapping(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		d.wrong(node.Line, key, "the value is "+kindOf(node), "write keys below it, such as "+strings.Join(firstThree(keysOf(into.Type())), ", "))
		return
	}
	pairs, fault := pairsOf(node, 0, &d.nodes)
	if fault != nil {
		d.wrong(fault.node.Line, key, fault.what, fault.fix)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		path := join(key, name.Value)
		if before := seen[name.Value]; before > 0 {
			d.wrong(name.Line, path, fmt.Sprintf("duplicate key, first in line %d", before), "remove one of them")
			continue
		}
		seen[name.Value] = name.Line
		d.lines[path] = name.Line
		d.member(name, value, into, path)
	}
}

// member sets the field of a struct that belongs to a key.
func (d *decoder) member(name, value *yaml.Node, into reflect.Value, path string) {
	for i := range into.NumField() {
		if into.Type().Field(i).Tag.Get("yaml") == name.Value && name.Value != "" {
			if value.Tag == "!!null" {
				d.unquotedColor(name, path)
			}
			d.value(value, into.Field(i), path)
			return
		}
	}
	names := keysOf(into.Type())
	fix := "use one of: " + strings.Join(names, ", ")
	if best := nearest(name.Value, names); best != "" {
		fix = "did you mean " + best + "?"
	}
	d.wrong(name.Line, path, "unknown key", fix)
}

func (d *decoder) list(node *yaml.Node, into reflect.Value, key string) {
	items := node.Content
	if node.Kind != yaml.SequenceNode {
		if node.Kind != yaml.ScalarNode || into.Type().Elem().Kind() != reflect.String {
			d.wrong(node.Line, key, "the value is "+kindOf(node), "write a list, each item after a hyphen")
			return
		}
		items = []*yaml.Node{node} // "tags: go" means "tags: [go]"
	}
	if len(items) > maxItems {
		d.wrong(node.Line, key, fmt.Sprintf("the list has %d items", len(items)), fmt.Sprintf("write at most %d", maxItems))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for i, item := range items {
		at := key + "[" + strconv.Itoa(i) + "]"
		if one, ok := into.Index(i).Addr().Interface().(interface{ preset() }); ok {
			one.preset()
		}
		before := len(d.problems)
		d.value(item, into.Index(i), at)
		if into.Index(i).Kind() == reflect.String && into.Index(i).Len() == 0 && len(d.problems) == before {
			d.wrong(item.Line, at, "it is empty", "write a value, or remove the item")
		}
	}
}

func (d *decoder) scalar(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.ScalarNode {
		d.wrong(node.Line, key, "the value is "+kindOf(node), "write a single value")
		return
	}
	text, missing := node.Value, []string(nil)
	if d.env != nil {
		text, missing = expand(node.Value, d.env)
	}
	for _, name := range missing {
		if !envName.MatchString(name) {
			d.wrong(node.Line, key, "${"+name+"} does not name an environment variable", "write ${NAME} or ${NAME:-a default}, or $${ for a plain ${")
			continue
		}
		d.wrong(node.Line, key, "the environment variable "+name+" is not set", "set it, or write ${"+name+":-a default}")
	}
	if len(missing) > 0 {
		return
	}
	if holdsSecret(into, node.Value) {
		d.literals = append(d.literals, key)
	}
	if what, fix := set(into, text); what != "" {
		d.wrong(node.Line, key, what, fix)
	}
}

// set sets a field to the value of a text. It returns what is wrong with the text and how to fix
// it, or "" if the text is valid.
func set(into reflect.Value, text string) (what, fix string) {
	switch into.Interface().(type) {
	case time.Duration:
		return setDuration(into, text)
	case Size:
		size, err := ParseSize(text)
		into.SetInt(int64(size))
		return errorAndFix(err, "write a number and a unit, such as 64MB or 512KiB")
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if errors.Is(err, strconv.ErrRange) {
			return words.T("{0} is out of range", text).String(), words.T("use a number from {0} to {1}", strconv.Itoa(math.MinInt32), strconv.Itoa(math.MaxInt32)).String()
		}
		into.SetInt(n)
		return errorAndFix(wrongFormat(err, text, "a whole number"), "write a whole number, such as 10")
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		into.SetFloat(n)
		return errorAndFix(wrongFormat(err, text, "a number"), "write a number, such as 2.5")
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Sprintf("%q is neither true nor false", text), "write true or false"
		}
		into.SetBool(text == "true")
	}
	return "", ""
}

// maxDays bounds the days of a duration; it is about a century.
const maxDays = 36500

// ParseDuration parses a duration in Go's format, which may begin with a number of days of 24 hours:
// "30s", "36h", "2d", "1d12h".
func ParseDuration(text string) (time.Duration, error) {
	days, rest, hasDays := strings.Cut(text, "d")
	n, err := strconv.ParseUint(days, 10, 32)
	if !hasDays || err != nil {
		return time.ParseDuration(text)
	}
	if n > maxDays {
		return 0, fmt.Errorf("%q is longer than %d days", text, maxDays)
	}
	whole := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return whole, nil
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part < 0 || part > math.MaxInt64-whole {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	return whole + part, nil
}

func setDuration(into reflect.Value, text string) (what, fix string) {
	duration, err := ParseDuration(text)
	into.SetInt(int64(duration))
	if err == nil {
		return "", ""
	}
	if strings.Trim(text, "0123456789.") == "" && strings.Trim(text, ".") != "" {
		return fmt.Sprintf("%q has no unit", text), fmt.Sprintf("write %ss, %sm or %sh", text, text, text)
	}
	return fmt.Sprintf("%q is not a duration", text), "write a number and a unit, such as 30s, 15m, 72h or 2d"
}

func wrongFormat(err error, text, kind string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q is not %s", text, kind)
}

func errorAndFix(err error, fix string) (string, string) {
	if err == nil {
		return "", ""
	}
	return err.Error(), fix
}

// keysOf returns the keys of a struct, in order.
func keysOf(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			out = append(out, key)
		}
	}
	return out
}

func firstThree(names []string) []string { return slices.Clone(names[:min(3, len(names))]) }

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(node.Value)
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
