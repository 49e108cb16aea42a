package chart_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/web/chart"
)

var barPath = regexp.MustCompile(`d="M([\d.]+) 0H([\d.]+)V200H([\d.]+)Z"`)

// TestSmallPartsOfAShareAreVisible: each part has at least a hundredth of the bar, whatever stands before it,
// and the parts lie beside each other and fill the bar.
func TestSmallPartsOfAShareAreVisible(t *testing.T) {
	t.Parallel()
	for _, values := range [][]int64{{1_000_000, 1, 1}, {1, 1_000_000, 1}, {1, 1, 1}, {1 << 50, 1, 1 << 50, 1}, {5}, {0, 7, 0}, {1, 2, 3, 4, 5, 6, 7, 8}, {97, 1, 1, 1}, {996, 1, 1, 1, 1}} {
		var parts []chart.Part
		drawn := 0
		for i, v := range values {
			parts = append(parts, chart.Part{Name: fmt.Sprint(i), Value: v})
			if v > 0 {
				drawn++
			}
		}
		markup := chart.Share("x", parts, nil)
		wellFormed(t, markup)
		found := barPath.FindAllStringSubmatch(string(markup), -1)
		end := 0.0
		for _, m := range found {
			from, _ := strconv.ParseFloat(m[1], 64)
			to, _ := strconv.ParseFloat(m[2], 64)
			if from != end || to-from < 9 || m[3] != m[1] {
				t.Errorf("%v: a part from %v to %v, after one up to %v", values, from, to, end)
			}
			end = to
		}
		if len(found) != drawn || end != 1000 {
			t.Errorf("%v: %d parts up to %v", values, len(found), end)
		}
	}
}

// TestTextOfChartsIsEscaped: names and labels may come from articles and lists.
func TestTextOfChartsIsEscaped(t *testing.T) {
	t.Parallel()
	const hostile = `<script>"&'`
	data := chart.Data{Title: hostile, Labels: []string{hostile}, Series: []chart.Series{{Name: hostile, Values: []int64{1}}, {Name: "b", Values: []int64{1}}}, Format: func(int64) string { return hostile }}
	share := chart.Share(hostile, []chart.Part{{Name: hostile, Value: 1}}, data.Format)
	for _, markup := range []string{string(chart.Bars(data)), string(chart.Lines(data)), string(share)} {
		if strings.Contains(markup, "<script>") {
			t.Errorf("a name is markup: %s", markup)
		}
	}
	wellFormed(t, chart.Bars(data))
	wellFormed(t, share)
}

// TestAxisHasRoundNumbers in at most four steps, of which the last is at least the highest value.
func TestAxisHasRoundNumbers(t *testing.T) {
	t.Parallel()
	for top, want := range map[int64]string{1: "1 0", 3: "3 2 1 0", 4: "4 3 2 1 0", 5: "6 4 2 0", 9: "10 5 0", 41: "60 40 20 0", 100: "100 50 0", 101: "150 100 50 0", 999: "1000 500 0", 1_000_001: "1500000 1000000 500000 0"} {
		markup := string(chart.Bars(chart.Data{Labels: []string{"a"}, Series: []chart.Series{{Values: []int64{top}}}}))
		_, after, _ := strings.Cut(markup, `<div class="y">`)
		ticks, _, _ := strings.Cut(after, "</div>")
		got := strings.TrimSpace(strings.NewReplacer("<span>", "", "</span>", " ").Replace(ticks))
		if got != want {
			t.Errorf("up to %d: %s, want %s", top, got, want)
		}
	}
}
