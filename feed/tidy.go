package feed

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// kept are the elements that may stand in a feed: those of the import's policy
// that the public validators take for harmless too.
var kept = set(`a abbr address article aside audio b bdi blockquote br caption cite code col colgroup data dd del
	details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p picture pre
	q rp rt ruby s samp section small source span strong sub summary sup table tbody td tfoot th thead time tr track u ul var
	video wbr`)

// removed are the elements that go with all that is in them.
var removed = set(`script style template iframe object embed applet noscript noembed noframes head title textarea select
	svg math xmp plaintext frameset canvas`)

// addresses are the attributes that hold one address.
var addresses = set(`href src poster cite`)

var void = set(`br col hr img source track wbr`)

// endsParagraph are the elements before which HTML closes an open p.
var endsParagraph = set(`address article aside blockquote details div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header
	hr main nav ol p pre section summary table ul li dd dt`)

// parents says where the parts of tables may stand.
var parents = map[string]map[string]bool{
	"caption": set("table"), "colgroup": set("table"), "col": set("colgroup"), "thead": set("table"), "tbody": set("table"),
	"tfoot": set("table"), "tr": set("thead tbody tfoot"), "td": set("tr"), "th": set("tr"),
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

func attributeKept(name string) bool {
	if name == "style" || name == "name" || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "data-") {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' }) < 0
}

// tidy reports whether HTML may stand in a feed as it is. It is strict: what it
// does not know is not tidy, and is parsed and written anew.
func tidy(raw string) bool {
	var open []string
	for z := html.NewTokenizer(strings.NewReader(raw)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return len(open) == 0
		case html.TextToken:
			if !tidyText(z.Raw(), open) {
				return false
			}
		case html.StartTagToken:
			name, ok := tidyTag(z, open)
			if !ok || len(open) > 200 {
				return false
			}
			if !void[name] {
				open = append(open, name)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return false
			}
			open = open[:len(open)-1]
		case html.SelfClosingTagToken:
			if name, ok := tidyTag(z, open); !ok || !void[name] {
				return false
			}
		default:
			return false
		}
	}
}

// tidyText also checks that nothing but space stands between the parts of a table.
func tidyText(raw []byte, open []string) bool {
	if bytes.IndexByte(raw, '<') >= 0 || !references(raw) {
		return false
	}
	if len(open) > 0 {
		switch open[len(open)-1] {
		case "table", "tbody", "thead", "tfoot", "tr", "colgroup":
			return len(bytes.TrimSpace(raw)) == 0
		}
	}
	return true
}

// references reports whether every & begins a character reference that all
// parsers read alike.
func references(raw []byte) bool {
	for {
		at := bytes.IndexByte(raw, '&')
		if at < 0 {
			return true
		}
		raw = raw[at+1:]
		end := bytes.IndexByte(raw[:min(len(raw), 8)], ';')
		if end < 0 {
			return false
		}
		switch name := string(raw[:end]); name {
		case "amp", "lt", "gt", "quot", "#34", "#39", "nbsp":
		default:
			return false
		}
	}
}

// tidyTag reads a start tag and checks it against the elements that are open.
func tidyTag(z *html.Tokenizer, open []string) (string, bool) {
	raw := z.Raw()
	tag, more := z.TagName()
	name := string(tag)
	if !kept[name] || !fits(name, open) || !references(raw) {
		return name, false
	}
	source := name != "img" && name != "source" && name != "track"
	for seen := []string(nil); more; {
		var key, value []byte
		key, value, more = z.TagAttr()
		attribute := string(key)
		if !attributeKept(attribute) || contains(seen, attribute) {
			return name, false
		}
		seen = append(seen, attribute)
		switch {
		case attribute == "srcset":
			if string(value) != srcset(string(value), "") {
				return name, false
			}
			source = true
		case addresses[attribute]:
			if !settled(string(value)) {
				return name, false
			}
			source = source || attribute == "src"
		}
	}
	return name, source
}

func contains(seen []string, name string) bool {
	for _, s := range seen {
		if s == name {
			return true
		}
	}
	return false
}

// fits reports whether an element may stand inside those that are open.
func fits(name string, open []string) bool {
	parent := ""
	if len(open) > 0 {
		parent = open[len(open)-1]
	}
	if want := parents[name]; want != nil && !want[parent] {
		return false
	}
	switch parent {
	case "table", "tbody", "thead", "tfoot", "tr", "colgroup":
		if parents[name] == nil {
			return false
		}
	}
	heading := len(name) == 2 && name[0] == 'h' && name[1] != 'r'
	for i := len(open) - 1; i >= 0; i-- {
		switch above := open[i]; {
		case above == "p" && endsParagraph[name], above == "a" && name == "a", above == name && name == "nobr":
			return false
		case heading && i == len(open)-1 && len(above) == 2 && above[0] == 'h' && above[1] != 'r':
			return false
		}
	}
	return true
}

// settled reports whether an address needs no work, the quick way for most.
func settled(address string) bool {
	rest, ok := strings.CutPrefix(address, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(address, "http://")
	}
	if !ok {
		return address != "" && address == absolute(address, "")
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '/' && i > 0:
			return plainPath(rest[i:])
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-':
		default:
			return address == absolute(address, "")
		}
	}
	return rest != ""
}

func plainPath(path string) bool {
	for i := 0; i < len(path); i++ {
		if c := path[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("\"<>\\^`{|}%", c) >= 0 {
			return validEscapes(path)
		}
	}
	return true
}

func validEscapes(path string) bool {
	return "https://a.example"+path == absolute("https://a.example"+path, "")
}
