package chart_test

import (
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/web/chart"
)

// wellFormed fails the test if the markup is not well-formed, or has styles of its own.
func wellFormed(t *testing.T, markup template.HTML) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader("<div>" + string(markup) + "</div>")); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, markup)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("%s has the attribute %s", start.Name.Local, a.Name.Local)
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("%s is %q", a.Name.Local, a.Value)
			}
		}
	}
}

func contains(t *testing.T, markup template.HTML, texts ...string) {
	t.Helper()
	wellFormed(t, markup)
	for _, text := range texts {
		if !strings.Contains(string(markup), text) {
			t.Errorf("%q is not in %s", text, markup)
		}
	}
}

var months = []string{"January", "February", "March"}

func TestBarsOfSeriesAreStacked(t *testing.T) {
	t.Parallel()
	contains(t, chart.Bars(chart.Data{
		Title: "Growth", Labels: months, Ticks: []string{"J", "F", "M"},
		Series: []chart.Series{{Name: "Joined", Values: []int64{10, 0, 30}}, {Name: "Left", Tone: chart.Bad, Values: []int64{5, 2, 10}}},
	}),
		`<path class="bar tone-1" d="M126.7 200V150H206.7V200Z"><title>January, Joined: 10</title>`, // not as wide as a third
		`<path class="bar tone-bad" d="M126.7 150V125H206.7V150Z"><title>January, Left: 5</title>`,  // on top of it
		`<div class="y"><span>40</span><span>30</span><span>20</span><span>10</span><span>0</span></div>`,
		`<div class="x"><span>J</span><span>F</span><span>M</span></div>`,
		`<caption>Growth</caption>`, `<th scope="row">February</th><td>0</td><td>2</td>`, `<span class="key tone-bad">Left</span>`)
}

func TestLinesHaveGapsWhereValuesAreUnknown(t *testing.T) {
	t.Parallel()
	got := chart.Lines(chart.Data{Title: "Active", Labels: []string{"a", "b", "c", "d"}, Series: []chart.Series{{Values: []int64{1, 1, chart.Unknown, 1}}}})
	contains(t, got, `<path class="line tone-1" d="M125 0L375 0">`, `<path class="dot tone-1" d="M875 0h0">`, `<path class="area tone-1" d="M125 0L375 0V200H125Z">`, `<th scope="row">c</th><td>–</td>`, `<title>c: –</title>`)
	if got := chart.Lines(chart.Data{Labels: months, Series: []chart.Series{{Name: "a", Values: []int64{1, 2, 3}}, {Name: "b", Values: []int64{1, 2, 3}}}}); strings.Contains(string(got), "area") {
		t.Error("the areas of two lines cover each other")
	}
}

func TestChartWithoutValuesSaysSo(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]chart.Data{
		"nothing": {}, "no series": {Labels: months}, "no values": {Labels: months, Series: []chart.Series{{Name: "a"}}},
		"no labels": {Series: []chart.Series{{Values: []int64{1}}}}, "unknown": {Labels: months, Series: []chart.Series{{Values: []int64{-1, -5, -1}}}},
	} {
		d.Empty = "No figures <yet>"
		for kind, draw := range map[string]func(chart.Data) template.HTML{"bars": chart.Bars, "lines": chart.Lines} {
			if got := draw(d); got != `<p class="chart none">No figures &lt;yet&gt;</p>` {
				t.Errorf("%s of %s: %s", kind, name, got)
			}
		}
	}
}

func TestSingleAndZeroValuesAreDrawn(t *testing.T) {
	t.Parallel()
	one := chart.Data{Title: "One", Labels: []string{"today"}, Series: []chart.Series{{Values: []int64{7}}}}
	contains(t, chart.Lines(one), `<path class="dot tone-1" d="M500 25h0">`, "<span>8</span><span>6</span><span>4</span><span>2</span><span>0</span>")
	contains(t, chart.Bars(one), `<path class="bar tone-1" d="M460 200V25H540V200Z">`)
	zero := chart.Data{Title: "None", Labels: months, Series: []chart.Series{{Values: []int64{0, 0, 0}}}}
	contains(t, chart.Bars(zero), "<span>1</span><span>0</span>")
	contains(t, chart.Lines(zero), `d="M166.7 200L500 200L833.3 200"`)
}

func TestLargeChartShowsFewLabels(t *testing.T) {
	t.Parallel()
	d := chart.Data{Title: "Year", Format: func(n int64) string { return "№" + strings.Repeat("I", int(n%3)) }}
	d.Series = []chart.Series{{}}
	for i := range 365 {
		d.Labels = append(d.Labels, string(rune('A'+i%26)))
		d.Series[0].Values = append(d.Series[0].Values, int64(i)*1e15)
	}
	got := chart.Bars(d)
	contains(t, got, "№")
	if n := strings.Count(string(got[strings.Index(string(got), `class="x"`):strings.Index(string(got), "<table")]), "<span>"); n != 6 {
		t.Errorf("%d labels, want 6", n)
	}
	contains(t, chart.Bars(chart.Data{Labels: []string{"a"}, Series: []chart.Series{{Values: []int64{1<<63 - 1}}}}), "bar tone-1")
}

func TestShareDividesABar(t *testing.T) {
	t.Parallel()
	parts := []chart.Part{{Name: "Delivered", Tone: chart.Good, Value: 9990}, {Name: "Retrying", Tone: chart.Warn}, {Name: "Refused", Tone: chart.Bad, Value: 10}}
	contains(t, chart.Share("No. 4", parts, nil), `aria-label="No. 4: Delivered 9990, Refused 10"`,
		`d="M0 0H990V200H0Z"`, `<path class="bar tone-bad" d="M990 0H1000V200H990Z"><title>Refused: 10</title>`)
	contains(t, chart.Share("No. 5", nil, nil), `aria-label="No. 5"`)
	contains(t, chart.Share("No. 6", []chart.Part{{Name: "a", Value: 1}, {Name: "b", Value: 999}}, nil), `d="M0 0H10V`)
}
