package lint

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/words"
)

// clientTable says which mail programs support which features. scripts/client-support writes it.
//
//go:embed clients.csv
var clientTable string

// feature is a part of HTML or CSS whose absence changes what subscribers read. Mere decoration,
// such as round corners, is not among the features.
type feature struct {
	fact   string // name in clientTable; the rule is named by it
	name   string // for people
	effect string // what happens without support
	used   func(e *element) bool
}

// element is an element of a mail as features look at it.
type element struct {
	node  *html.Node
	style declarations
}

var features = []feature{
	{"css-display-flex", "display: flex", "boxes are stacked", property("display", `^(?:inline-)?flex`)},
	{"css-display-grid", "display: grid", "boxes are stacked", property("display", `^(?:inline-)?grid`)},
	{"css-position", "position", "the element is where it would be without it", property("position", `^(?:absolute|fixed|relative|sticky)`)},
	{"css-float", "float", "the element is not beside the text", property("float", `^(?:left|right)`)},
	{"css-background-image", "background images", "text on the image is shown on the background behind it", property("background|background-image", `url\(`)},
	{"css-linear-gradient", "linear-gradient()", "text on it is shown on the background behind it", property("background|background-image", `linear-gradient\(`)},
	{"css-radial-gradient", "radial-gradient()", "text on it is shown on the background behind it", property("background|background-image", `radial-gradient\(`)},
	{"css-object-fit", "object-fit", "images are distorted", property("object-fit", `.`)},
	{"css-transform", "transform", "the element is not moved or turned", property("transform", `\(`)},
	{"css-variables", "var()", "the declaration is dropped", property("", `\bvar\(`)},
	{"css-function-clamp", "clamp()", "the declaration is dropped", property("", `\bclamp\(`)},
	{"css-function-max", "max()", "the declaration is dropped", property("", `\bmax\(`)},
	{"css-function-min", "min()", "the declaration is dropped", property("", `\bmin\(`)},
	{"css-function-light-dark", "light-dark()", "the declaration is dropped", property("", `\blight-dark\(`)},
	{"css-unit-calc", "calc()", "the declaration is dropped", property("", `\bcalc\(`)},
	{"css-unit-rem", "the unit rem", "the declaration is dropped", property("", `\d\s*rem\b`)},
	{"css-unit-vw", "the unit vw", "the declaration is dropped", property("", `\d\s*vw\b`)},
	{"css-unit-vh", "the unit vh", "the declaration is dropped", property("", `\d\s*vh\b`)},
	{"css-modern-color", "colors such as oklch()", "the color is dropped", property("", `\b(?:hwb|lab|lch|oklab|oklch|color|color-mix)\(`)},
	{"css-writing-mode", "writing-mode", "text runs from left to right", property("writing-mode", `^(?:vertical|sideways)`)},
	{"css-column-count", "columns of text", "the text is in one column", property("column-count|columns", `\d`)},
	{"css-aspect-ratio", "aspect-ratio", "the element has another height", property("aspect-ratio", `\d`)},
	{"css-clip-path", "clip-path", "the hidden part of the element is shown", property("clip-path", `\(`)},
	{"css-mask-image", "mask-image", "the hidden part of the element is shown", property("mask|mask-image", `\(`)},
	{"css-visibility", "visibility: hidden", "the hidden element is shown", property("visibility", `^(?:hidden|collapse)`)},
	{"css-gap", "gap", "boxes have no space between them", property("gap|column-gap|row-gap", `[1-9]`)},
	{"css-white-space", "white-space", "line breaks are lost", outsidePre(property("white-space", `^(?:pre|break-spaces)`))},
	{"html-video", "<video>", "the video is not shown", tag(atom.Video)},
	{"html-audio", "<audio>", "the recording is not shown", tag(atom.Audio)},
	{"html-svg", "<svg>", "the drawing is not shown", tag(atom.Svg)},
	{"html-form", "<form>", "the form cannot be sent", tag(atom.Form)},
	{"html-input-text", "<input>", "the field is not shown", tag(atom.Input)},
	{"html-select", "<select>", "the list is not shown", tag(atom.Select)},
	{"html-textarea", "<textarea>", "the field is not shown", tag(atom.Textarea)},
	{"html-button-submit", "<button>", "the button does nothing", tag(atom.Button)},
	{"html-object", "<object>", "the object is not shown", tag(atom.Object)},
	{"html-dialog", "<dialog>", "the dialog cannot be opened", tag(atom.Dialog)},
	{"html-meter", "<meter>", "the bar is not shown", tag(atom.Meter)},
	{"html-progress", "<progress>", "the bar is not shown", tag(atom.Progress)},
	{"html-ruby", "<ruby>", "the reading is after the text, not above it", tag(atom.Ruby)},
	{"image-webp", "WebP images", "the image is not shown", image(`\.webp$`)},
	{"image-avif", "AVIF images", "the image is not shown", image(`\.avif$`)},
	{"image-svg", "SVG images", "the image is not shown", image(`\.svgz?$|^data:image/svg`)},
	{"image-heif", "HEIF images", "the image is not shown", image(`\.hei[cf]$`)},
	{"image-tiff", "TIFF images", "the image is not shown", image(`\.tiff?$`)},
	{"image-base64", "images inside the mail (data:)", "the image is not shown", image(`^data:`)},
	{"image-mp4", "videos as images", "the image is not shown", image(`\.mp4$`)},
}

// property matches elements with a property, one of several separated by "|" or any if names is
// empty, whose value matches a pattern.
func property(names, pattern string) func(*element) bool {
	value := regexp.MustCompile(pattern)
	wanted := strings.Split(names, "|")
	return func(e *element) bool {
		for name, one := range e.style {
			if (names == "" || slices.Contains(wanted, name)) && value.MatchString(one.value) {
				return true
			}
		}
		return false
	}
}

// outsidePre matches elements as used does, but not <pre>, which keeps line breaks by itself.
func outsidePre(used func(*element) bool) func(*element) bool {
	return func(e *element) bool {
		return used(e) && e.node.DataAtom != atom.Pre && (e.node.Parent == nil || e.node.Parent.DataAtom != atom.Pre)
	}
}

func tag(name atom.Atom) func(*element) bool {
	return func(e *element) bool { return e.node.DataAtom == name && attribute(e.node, "type") != "hidden" }
}

func image(pattern string) func(*element) bool {
	address := regexp.MustCompile(pattern)
	return func(e *element) bool {
		if e.node.DataAtom != atom.Img {
			return false
		}
		source, _, _ := strings.Cut(strings.ToLower(attribute(e.node, "src")), "?")
		return address.MatchString(source)
	}
}

// major are the families of mail programs that most people use. What only others do not support is
// not reported.
var major = []string{"Apple Mail", "Gmail", "Outlook", "Yahoo"}

// support lists, by feature, the mail programs that do not support it. Features that all major
// programs support have no entry.
var support = readSupport(clientTable)

func readSupport(table string) map[string][]string {
	r := csv.NewReader(strings.NewReader(table))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic("lint: clients.csv: " + err.Error()) // a test reads it
	}
	out := map[string][]string{}
	for _, row := range rows[1:] {
		var without []string
		for i, fact := range row[1:] {
			if fact == "n" {
				without = append(without, rows[0][i+1])
			}
		}
		if slices.ContainsFunc(without, isMajor) {
			out[row[0]] = without
		}
	}
	return out
}

func isMajor(client string) bool {
	return slices.ContainsFunc(major, func(family string) bool { return strings.HasPrefix(client, family) })
}

// clientRules returns a rule for each feature.
func clientRules() []Rule {
	var out []Rule
	for _, f := range features {
		out = append(out, Rule{
			Name: "client-" + f.fact, Severity: Warning,
			Meaning: fmt.Sprintf("The mail uses %s, which some common mail programs do not support: %s.", f.name, f.effect),
			Fix:     "Do without it, or make sure that the mail can be read without it.",
		})
	}
	return out
}

// clients finds features that common mail programs do not support, one finding for each feature.
func (c *checker) clients(v *Variant, d *document) {
	counts := make([]int, len(features))
	for n := range d.root.Nodes[0].Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		e := element{n, d.style(n)}
		for i := range features {
			if features[i].used(&e) {
				counts[i]++
			}
		}
	}
	for i, n := range counts {
		f := &features[i]
		if without := support[f.fact]; n > 0 && len(without) > 0 {
			c.add("client-"+f.fact, where{variant: v.Key}, words.T("{0}: not supported by {1}, so {2}", words.Stored(f.name), some(without), words.Stored(f.effect)))
		}
	}
}

// some lists the first names.
func some(names []string) words.Text {
	const most = 4
	if len(names) > most+1 {
		return words.T("{0} and {1} others", strings.Join(names[:most], ", "), len(names)-most)
	}
	return words.Verbatim(strings.Join(names, ", "))
}
