package feed

import "strings"

// kept are the elements that may stand in a feed: those of the import's policy
// that the public validators take for harmless too.
var kept = set(`a abbr address article aside audio b bdi blockquote br caption cite code col colgroup data dd del
	details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p picture pre
	q rp rt ruby s samp section small source span strong sub summary sup table tbody td tfoot th thead time tr track u ul var
	video wbr`)

var void = set(`br col hr img source track wbr`)

// parents says where those elements may stand that need a parent of their own.
var parents = map[string]map[string]bool{
	"caption": set("table"), "colgroup": set("table"), "col": set("colgroup"), "thead": set("table"), "tbody": set("table"),
	"tfoot": set("table"), "tr": set("thead tbody tfoot"), "td": set("tr"), "th": set("tr"),
	"source": set("audio picture video"), "track": set("audio video"),
}

// Sets that the nesting of elements is decided by, as parsers do (HTML, section
// 13.2.6.4.7).
var (
	tableParts = set(`table tbody thead tfoot tr colgroup`)
	headings   = set(`h1 h2 h3 h4 h5 h6`)
	media      = set(`audio picture video`)
	// endsParagraph are the elements before which an open p ends.
	endsParagraph = set(`address article aside blockquote details div dl figcaption figure footer h1 h2 h3 h4 h5 h6 header
		hr main nav ol p pre section summary table ul li dd dt`)
	// cells are where links, paragraphs and ruby texts begin anew.
	cells = set(`caption table td th`)
	// blocks are the elements that an item of a list does not end within; some parsers
	// do not know summary, main and figcaption for such.
	blocks = set(`article aside blockquote caption dd details dl dt figure footer h1 h2 h3 h4 h5 h6 header li
		nav ol pre section table tbody td tfoot th thead tr ul`)
	items       = set(`li`)
	definitions = set(`dd dt`)
	paragraphs  = set(`p`)
	links       = set(`a`)
	ruby        = set(`ruby`)
	// flat are the elements that stand however deep they are: they hold no others of
	// their kind.
	flat = set(`a audio br hr img picture video wbr`)
)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

// deepest is how many elements may stand inside each other. Browsers stop at 512,
// readers with less.
const deepest = 200

// nesting is the elements that are open somewhere in a text, the outermost first.
type nesting []string

func (open nesting) parent() string {
	if len(open) == 0 {
		return ""
	}
	return open[len(open)-1]
}

// inside reports whether one of the wanted elements is open, looking outwards no
// further than to one that bounds.
func (open nesting) inside(wanted, bounds map[string]bool) bool {
	for i := len(open) - 1; i >= 0; i-- {
		if wanted[open[i]] {
			return true
		}
		if bounds[open[i]] {
			return false
		}
	}
	return false
}

// fits reports whether an element may begin here: no parser closes or moves
// anything on its way in.
func (open nesting) fits(name string) bool {
	parent := open.parent()
	if want := parents[name]; want != nil {
		return want[parent]
	}
	if tableParts[parent] || len(open) >= deepest && !flat[name] {
		return false
	}
	if endsParagraph[name] && open.inside(paragraphs, cells) {
		return false
	}
	switch name {
	case "a":
		return !open.inside(links, cells)
	case "li":
		return !open.inside(items, blocks)
	case "dd", "dt":
		return !open.inside(definitions, blocks)
	case "rt", "rp":
		return parent == "ruby" || !open.inside(ruby, cells)
	}
	return !(headings[name] && headings[parent]) && !(media[name] && open.inside(media, nil))
}
