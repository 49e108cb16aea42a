package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// YAML returns the configuration with its defaults filled in and its secrets hidden.
func (c *Config) YAML() ([]byte, error) {
	return encodeYAML(c.plain())
}

// JSON returns the same as YAML, in JSON.
func (c *Config) JSON() ([]byte, error) { return json.MarshalIndent(plainMap(c.plain()), "", "  ") }

// SharedHash returns a hash of the settings that must be equal on all nodes: all except the
// sections server, log, import and metrics, the store, and paths of files.
func (c *Config) SharedHash() string {
	shared := *c
	shared.Server, shared.Log, shared.Import, shared.Store, shared.Metrics, shared.Templates = Server{}, Log{}, Import{}, Store{}, Metrics{}, ""
	shared.Health.DiskFree = 0
	shared.Relays = append([]Relay(nil), c.Relays...)
	for i := range shared.Relays {
		shared.Relays[i].CAFile, shared.Relays[i].PasswordFile, shared.Relays[i].Helo = "", "", ""
	}
	shared.Mail.TestMailbox = nil
	shared.Mail.DKIM = append([]DKIM(nil), c.Mail.DKIM...)
	for i := range shared.Mail.DKIM {
		shared.Mail.DKIM[i].KeyFile = ""
	}
	shared.Backup.Folder, shared.Backup.S3 = "", nil
	shared.Bounces.SMTP, shared.Bounces.LMTP = "", ""
	data, err := shared.YAML()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// plain turns the configuration into YAML nodes, which keep the order of the keys.
func (c *Config) plain() *yaml.Node {
	return nodeOf(reflect.ValueOf(*c))
}

func nodeOf(v reflect.Value) *yaml.Node {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
		}
		v = v.Elem()
	}
	node := &yaml.Node{}
	switch {
	case v.Type() == reflect.TypeFor[Text]() && v.Interface().(Text).Several():
		node.Kind = yaml.MappingNode
		for tag, text := range v.Interface().(Text).All() {
			node.Content = append(node.Content, nodeOf(reflect.ValueOf(tag)), nodeOf(reflect.ValueOf(text)))
		}
	case v.Kind() == reflect.Struct:
		node.Kind = yaml.MappingNode
		for i := range v.NumField() {
			if key := v.Type().Field(i).Tag.Get("yaml"); key != "" {
				node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, nodeOf(v.Field(i)))
			}
		}
	case v.Kind() == reflect.Slice:
		node.Kind = yaml.SequenceNode
		for i := range v.Len() {
			node.Content = append(node.Content, nodeOf(v.Index(i)))
		}
		if v.Len() == 0 {
			node.Style = yaml.FlowStyle
		}
	default:
		scalarNode(node, v)
	}
	return node
}

func scalarNode(node *yaml.Node, v reflect.Value) {
	value := v.Interface()
	switch typed := value.(type) {
	case time.Duration:
		value = shortDuration(typed)
	case Size:
		value = typed.String()
	case hidden:
		value = typed.String()
	case Text:
		value = string(typed)
	}
	if err := node.Encode(value); err != nil { // cannot fail for scalars
		node.Kind, node.Value = yaml.ScalarNode, ""
	}
}

// FormatDuration formats a duration as ParseDuration reads it, briefly: 72h, not 72h0m0s.
func FormatDuration(d time.Duration) string { return shortDuration(d) }

// shortDuration formats a duration briefly: 72h, not 72h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// plainMap converts nodes to values for encoding/json.
func plainMap(node *yaml.Node) any {
	var out any
	if err := node.Decode(&out); err != nil {
		return nil
	}
	return out
}
