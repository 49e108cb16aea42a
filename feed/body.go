package feed

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// MaxBody is the longest article that stands in a feed in full, in bytes of HTML;
// readers get the summary of a longer one and the link.
const MaxBody = 8 << 20

// body makes an article's HTML fit for every reader and validator: well nested,
// harmless, with absolute addresses. Imported HTML mostly is so already, and
// finding that out costs a fifth of parsing it anew.
func body(raw, base string) string {
	if len(raw) > MaxBody {
		return ""
	}
	raw = strings.TrimSpace(clean(raw))
	for range 3 {
		if raw == "" || tidy(raw) {
			return raw
		}
		raw = rebuild(raw, base)
	}
	return html.EscapeString(text(raw))
}

// rebuild parses HTML and writes what may stay of it.
func rebuild(raw, base string) string {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(raw), context)
	if err != nil { // nested too deeply to be real
		return html.EscapeString(text(raw))
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, node := range nodes {
		root.AppendChild(node)
	}
	prune(root, base)
	var out bytes.Buffer
	for node := root.FirstChild; node != nil; node = node.NextSibling {
		if err := html.Render(&out, node); err != nil {
			return html.EscapeString(text(raw))
		}
	}
	return strings.TrimSpace(clean(out.String()))
}

// prune drops what may not stay below a node: harmful elements with all that is
// in them, others but for what is in them.
func prune(parent *html.Node, base string) {
	for node := parent.FirstChild; node != nil; {
		next := node.NextSibling
		switch {
		case node.Type == html.TextNode:
		case node.Type != html.ElementNode, removed[node.Data], node.Namespace != "":
			parent.RemoveChild(node)
		case node.Data == "bdo":
			node.Data, node.DataAtom = "span", atom.Span
			continue
		case !kept[node.Data]:
			next = unwrap(parent, node)
		default:
			if pruneAttributes(node, base); useless(node) {
				parent.RemoveChild(node)
				break
			}
			prune(node, base)
		}
		node = next
	}
}

// unwrap puts a node's children in its place and returns the first of them, or
// what followed the node.
func unwrap(parent, node *html.Node) *html.Node {
	next := node.NextSibling
	if node.FirstChild != nil {
		next = node.FirstChild
	}
	for child := node.FirstChild; child != nil; child = node.FirstChild {
		node.RemoveChild(child)
		parent.InsertBefore(child, node)
	}
	parent.RemoveChild(node)
	return next
}

func pruneAttributes(node *html.Node, base string) {
	seen := map[string]bool{}
	attributes := node.Attr[:0]
	for _, a := range node.Attr {
		if seen[a.Key] || !attributeKept(a.Key) || a.Namespace != "" {
			continue
		}
		switch {
		case addresses[a.Key]:
			a.Val = absolute(a.Val, base)
		case a.Key == "srcset":
			a.Val = srcset(a.Val, base)
		}
		if a.Val == "" && (addresses[a.Key] || a.Key == "srcset") {
			continue
		}
		a.Val = clean(a.Val)
		seen[a.Key] = true
		attributes = append(attributes, a)
	}
	node.Attr = attributes
}

// useless reports whether a picture or source has lost its address.
func useless(node *html.Node) bool {
	switch node.Data {
	case "img", "source", "track":
		for _, a := range node.Attr {
			if a.Key == "src" || a.Key == "srcset" {
				return false
			}
		}
		return true
	}
	return false
}

// srcset makes the candidates of a srcset absolute, dropping bad ones.
func srcset(list, base string) string {
	var out []string
	for _, candidate := range strings.Split(list, ", ") {
		for _, one := range strings.Split(candidate, ",\n") {
			ref, size, _ := strings.Cut(strings.TrimSpace(one), " ")
			if ref = absolute(strings.Trim(ref, ","), base); ref != "" {
				out = append(out, strings.TrimSpace(strings.ReplaceAll(ref, ",", "%2C")+" "+strings.TrimSpace(size)))
			}
		}
	}
	return strings.Join(out, ", ")
}

// text is the first part of what HTML says, without its tags.
func text(raw string) string {
	const enough = 2000
	var out strings.Builder
	skip := 0
	for z := html.NewTokenizer(strings.NewReader(raw)); out.Len() < enough; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		name, _ := z.TagName()
		switch {
		case kind == html.TextToken && skip == 0:
			out.Write(z.Text())
		case kind == html.StartTagToken && removed[string(name)]:
			skip++
		case kind == html.EndTagToken && removed[string(name)] && skip > 0:
			skip--
		default:
			out.WriteByte(' ')
		}
	}
	return line(out.String())
}
