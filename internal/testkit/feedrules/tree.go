package feedrules

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Node is an XML element.
type Node struct {
	Space, Name string
	Attributes  map[string]string // by their local names
	Text        string            // of the element itself
	Children    []*Node
}

// Parse parses a document and returns its root element.
func Parse(data []byte) (*Node, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	root := &Node{}
	open := []*Node{root}
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
			n := &Node{Space: token.Name.Space, Name: token.Name.Local, Attributes: map[string]string{}}
			for _, a := range token.Attr {
				n.Attributes[a.Name.Local] = a.Value
			}
			top.Children = append(top.Children, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.Text += string(token)
		}
	}
	if len(root.Children) != 1 {
		return nil, errors.New("no root element")
	}
	return root.Children[0], nil
}

// All returns the children with a name. "prefix:name" stands for a name in a namespace;
// namespaces lists the prefixes.
func (n *Node) All(name string) []*Node {
	space := ""
	if prefix, local, found := strings.Cut(name, ":"); found {
		space, name = namespaces[prefix], local
	}
	var found []*Node
	for _, child := range n.Children {
		if child.Name == name && child.Space == space {
			found = append(found, child)
		}
	}
	return found
}

// Value returns the text of the first child with a name.
func (n *Node) Value(name string) string {
	if found := n.All(name); len(found) > 0 {
		return found[0].Text
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
	"podcast": "https://podcastindex.org/namespace/1.0",
}
