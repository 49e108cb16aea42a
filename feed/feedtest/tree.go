package feedtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// node is an XML element, as much of it as the rules ask for.
type node struct {
	space, name string
	attributes  map[string]string
	text        string
	children    []*node
}

// parse reads a document strictly.
func parse(data []byte) (*node, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	root := &node{}
	open := []*node{root}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{space: token.Name.Space, name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				n.attributes[a.Name.Local] = a.Value
			}
			top.children = append(top.children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("no root element")
	}
	return root.children[0], nil
}

// all returns the children of a name; "prefix:name" for those of a namespace.
func (n *node) all(name string) []*node {
	space := ""
	if prefix, local, found := strings.Cut(name, ":"); found {
		space, name = namespaces[prefix], local
	}
	var found []*node
	for _, child := range n.children {
		if child.name == name && child.space == space {
			found = append(found, child)
		}
	}
	return found
}

// value is the text of the first child of a name.
func (n *node) value(name string) string {
	if found := n.all(name); len(found) > 0 {
		return found[0].text
	}
	return ""
}

var namespaces = map[string]string{
	"atom":    "http://www.w3.org/2005/Atom",
	"content": "http://purl.org/rss/1.0/modules/content/",
	"dc":      "http://purl.org/dc/elements/1.1/",
	"sy":      "http://purl.org/rss/1.0/modules/syndication/",
	"media":   "http://search.yahoo.com/mrss/",
	"fh":      "http://purl.org/syndication/history/1.0",
	"at":      "http://purl.org/atompub/tombstones/1.0",
	"itunes":  "http://www.itunes.com/dtds/podcast-1.0.dtd",
}
