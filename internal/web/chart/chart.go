// Package chart draws small charts as SVG on the server: Bars, Lines and Share return HTML
// for a page.
//
// Colors and sizes come from classes of the stylesheet, since the content security policy
// allows no styles in the page. A chart stretches to the width of its place, and its labels
// are HTML, so that their size stays the same. Bars and Lines have a table with the same
// numbers for screen readers, Share a text.
package chart

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
)

// Data is what a chart shows.
type Data struct {
	Title  string   // names the chart for screen readers
	Labels []string // of the values, such as days or months
	Ticks  []string // shorter labels for the axis; Labels if nil
	Series []Series
	Empty  string             // shown when no value is known, such as "No figures yet"
	Format func(int64) string // writes a value; nil for plain digits
}

// Series is a row of values, one for each label. Missing ones are Unknown.
type Series struct {
	Name   string
	Tone   Tone
	Values []int64
}

// Unknown is the value of a label without a number. Nothing is drawn for it.
const Unknown = -1

// Tone is the class that colors a series or a part.
type Tone string

// The tones. First to Fourth tell series apart; the others say what a number means.
const (
	First  Tone = "tone-1"
	Second Tone = "tone-2"
	Third  Tone = "tone-3"
	Fourth Tone = "tone-4"
	Good   Tone = "tone-good"
	Warn   Tone = "tone-warn"
	Bad    Tone = "tone-bad"
	Other  Tone = "tone-other"
)

// Bars returns a bar for each label. The values of several series are stacked.
func Bars(d Data) template.HTML { return d.draw("bars", Data.bars) }

// Lines returns a line for each series. The area below a single line is filled.
func Lines(d Data) template.HTML { return d.draw("lines", Data.lines) }

// The size of the drawing, which is stretched to its place.
const (
	width  = 1000.0
	height = 200.0
)

// shape is an element of the drawing.
type shape struct {
	Class string
	Path  string
	Title string // shown at the pointer
}

// figure is the data of the template of Bars and Lines.
type figure struct {
	Data
	Kind   string
	Grid   []string // paths
	Shapes []shape
	YTicks []string // from the top
	XTicks []string
}

func (d Data) draw(kind string, shapes func(Data, scale) []shape) template.HTML {
	d.Series = slices.Clone(d.Series)
	for i := range d.Series {
		d.Series[i].Values = fit(d.Series[i].Values, len(d.Labels))
		if d.Series[i].Tone == "" {
			d.Series[i].Tone = []Tone{First, Second, Third, Fourth}[i%4]
		}
	}
	if !d.known() {
		return render("empty", d)
	}
	s := newScale(d.top(kind == "bars"))
	f := figure{Data: d, Kind: kind, Shapes: shapes(d, s), XTicks: d.xTicks()}
	for v := s.top; v >= 0; v -= s.step {
		f.YTicks = append(f.YTicks, d.Text(v))
		f.Grid = append(f.Grid, fmt.Sprintf("M0 %sH%s", coordinate(s.y(v)), coordinate(width)))
	}
	return render("figure", f)
}

// most bounds values, so that their sums do not overflow.
const most = 1e15

// fit returns n values; those that are missing are Unknown.
func fit(values []int64, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = Unknown
		if i < len(values) {
			out[i] = min(max(values[i], Unknown), most)
		}
	}
	return out
}

func (d Data) known() bool {
	for _, s := range d.Series {
		if slices.ContainsFunc(s.Values, func(v int64) bool { return v >= 0 }) {
			return true
		}
	}
	return false
}

// top returns the highest value, or the highest sum of stacked values.
func (d Data) top(stacked bool) int64 {
	var top int64
	for i := range d.Labels {
		var sum int64
		for _, s := range d.Series {
			v := max(s.Values[i], 0)
			if sum += v; !stacked {
				top = max(top, v)
			}
		}
		if stacked {
			top = max(top, sum)
		}
	}
	return top
}

// Text returns a value as text.
func (d Data) Text(v int64) string {
	switch {
	case v < 0:
		return "–"
	case d.Format != nil:
		return d.Format(v)
	}
	return strconv.FormatInt(v, 10)
}

// maxTicks is how many labels the axis shows at most.
const maxTicks = 12

// xTicks returns the labels of the axis in equal distances.
func (d Data) xTicks() []string {
	labels := d.Ticks
	if len(labels) != len(d.Labels) {
		labels = d.Labels
	}
	if len(labels) <= maxTicks {
		return labels
	}
	const shown = 6
	var out []string
	for i := range shown {
		out = append(out, labels[(2*i+1)*len(labels)/(2*shown)])
	}
	return out
}

// widestBar is the most that a bar of a few takes of the width.
const widestBar = width * .08

func (d Data) bars(s scale) []shape {
	var out []shape
	column := width / float64(len(d.Labels))
	gap := max(min(column*.25, 12), column-widestBar)
	for i, label := range d.Labels {
		var below int64
		for _, one := range d.Series {
			v := one.Values[i]
			if v <= 0 {
				continue
			}
			x, bottom, top := column*float64(i)+gap/2, s.y(below), s.y(below+v)
			below += v
			out = append(out, shape{
				Class: "bar " + string(one.Tone), Title: d.title(label, one.Name, v),
				Path: fmt.Sprintf("M%s %sV%sH%sV%sZ", coordinate(x), coordinate(bottom), coordinate(top), coordinate(x+column-gap), coordinate(bottom)),
			})
		}
	}
	return out
}

func (d Data) lines(s scale) []shape {
	var out []shape
	column := width / float64(len(d.Labels))
	for _, one := range d.Series {
		for _, run := range runs(one.Values) {
			var path strings.Builder
			x := func(i int) string { return coordinate(column * (float64(i) + .5)) }
			for i := run.from; i < run.to; i++ {
				fmt.Fprintf(&path, "%s%s %s", map[bool]string{true: "M", false: "L"}[i == run.from], x(i), coordinate(s.y(one.Values[i])))
			}
			if run.to-run.from == 1 {
				out = append(out, shape{Class: "dot " + string(one.Tone), Path: path.String() + "h0"})
				continue
			}
			if len(d.Series) == 1 {
				area := fmt.Sprintf("%sV%sH%sZ", path.String(), coordinate(height), x(run.from))
				out = append(out, shape{Class: "area " + string(one.Tone), Path: area})
			}
			out = append(out, shape{Class: "line " + string(one.Tone), Path: path.String()})
		}
	}
	for i, label := range d.Labels { // columns that show the values at the pointer
		var texts []string
		for _, one := range d.Series {
			texts = append(texts, d.title(label, one.Name, one.Values[i]))
		}
		out = append(out, shape{
			Class: "column", Title: strings.Join(texts, "\n"),
			Path: fmt.Sprintf("M%s 0H%sV%sH%sZ", coordinate(column*float64(i)), coordinate(column*float64(i+1)), coordinate(height), coordinate(column*float64(i))),
		})
	}
	return out
}

func (d Data) title(label, name string, v int64) string {
	if name == "" {
		return label + ": " + d.Text(v)
	}
	return label + ", " + name + ": " + d.Text(v)
}

// span is a run of known values.
type span struct{ from, to int }

func runs(values []int64) []span {
	var out []span
	for i, v := range values {
		switch {
		case v < 0:
		case len(out) > 0 && out[len(out)-1].to == i:
			out[len(out)-1].to++
		default:
			out = append(out, span{i, i + 1})
		}
	}
	return out
}

// scale maps values to the height of the drawing.
type scale struct{ top, step int64 }

// newScale returns a scale from 0 to a round number of at least top, in at most four steps.
func newScale(top int64) scale {
	const steps = 4
	for power := int64(1); ; power *= 10 {
		for _, factor := range []int64{1, 2, 5} {
			step := factor * power
			if n := (top + step - 1) / step; n <= steps {
				return scale{step * max(n, 1), step}
			}
		}
	}
}

func (s scale) y(v int64) float64 { return height - height*float64(v)/float64(s.top) }

// coordinate writes a number with at most one digit after the point.
func coordinate(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
