package chart

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// random returns data of random size, with values that are missing, negative, huge and 0.
func random(r *rand.Rand) Data {
	value := func() int64 {
		switch r.IntN(8) {
		case 0:
			return Unknown
		case 1:
			return 0
		case 2:
			return -r.Int64()
		case 3:
			return r.Int64()
		}
		return r.Int64N(1 << r.IntN(40))
	}
	d := Data{Title: "Title", Empty: "Nothing yet"}
	for i := range r.IntN(40) {
		d.Labels = append(d.Labels, fmt.Sprint("label ", i))
	}
	for i := range r.IntN(6) {
		s := Series{Name: fmt.Sprint("series ", i)}
		for range r.IntN(45) { // fewer or more than labels
			s.Values = append(s.Values, value())
		}
		d.Series = append(d.Series, s)
	}
	return d
}

var (
	pathOf   = regexp.MustCompile(` d="([^"]*)"`)
	numberOf = regexp.MustCompile(`-?[0-9.]+`)
)

// check fails the test unless a chart is well-formed and stays within its drawing.
func check(t *testing.T, what, html string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader("<x>" + html + "</x>"))
	for {
		_, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v in\n%s", what, err, html)
		}
	}
	for _, path := range pathOf.FindAllStringSubmatch(html, -1) {
		for _, text := range numberOf.FindAllString(path[1], -1) {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(n) || n < 0 || n > width {
				t.Fatalf("%s: the path %s leaves the drawing", what, path[1])
			}
		}
		if strings.ContainsAny(path[1], "Ne") { // NaN, or an exponent
			t.Fatalf("%s: the path %s", what, path[1])
		}
	}
}

func TestRandomChartsStayWithinTheirDrawing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := random(r)
		for kind, draw := range map[string]func(Data) string{"bars": func(d Data) string { return string(Bars(d)) }, "lines": func(d Data) string { return string(Lines(d)) }} {
			what := fmt.Sprintf("%s of seed %d", kind, seed)
			html := draw(d)
			check(t, what, html)
			if rows := strings.Count(html, `<th scope="row">`); rows != 0 && rows != len(d.Labels) {
				t.Fatalf("%s: %d rows of %d labels", what, rows, len(d.Labels))
			}
			if strings.Contains(html, "Nothing yet") == strings.Contains(html, "<svg") {
				t.Fatalf("%s is empty and drawn, or neither", what)
			}
		}
	}
}

// TestRandomSharesShowEachPart: every part that is there has a width, and they fill the bar.
func TestRandomSharesShowEachPart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		var parts []Part
		positive := 0
		for i := range 1 + r.IntN(8) {
			value := r.Int64N(1<<r.IntN(50)) - 2
			if r.IntN(4) == 0 {
				value = 0
			}
			if value > 0 {
				positive++
			}
			parts = append(parts, Part{Name: fmt.Sprint("part ", i), Tone: First, Value: value})
		}
		html := string(Share("Title", parts, nil))
		check(t, fmt.Sprint("seed ", seed), html)
		if got := strings.Count(html, "<path"); got != positive {
			t.Fatalf("seed %d: %d of %d parts are drawn", seed, got, positive)
		}
		var sum float64
		for i, wide := range partWidths(parts, whole(parts)) {
			if sum += wide; parts[i].Value > 0 && wide < width/100-0.01 || parts[i].Value <= 0 && wide != 0 {
				t.Fatalf("seed %d: a part of %d is %.2f wide", seed, parts[i].Value, wide)
			}
		}
		if positive > 0 && math.Abs(sum-width) > 0.01 {
			t.Fatalf("seed %d: the parts are %.2f wide together", seed, sum)
		}
	}
}

func whole(parts []Part) (sum int64) {
	for _, p := range parts {
		sum += max(p.Value, 0)
	}
	return sum
}

// TestHugePartsDoNotOverflow: the sum of their values is beyond 64 bits.
func TestHugePartsDoNotOverflow(t *testing.T) {
	t.Parallel()
	html := string(Share("Title", []Part{{"a", First, math.MaxInt64}, {"b", Second, math.MaxInt64}, {"c", Third, 1}}, nil))
	check(t, "huge parts", html)
	paths := pathOf.FindAllStringSubmatch(html, -1)
	if len(paths) != 3 || !strings.HasPrefix(paths[0][1], "M0 0H495V") || !strings.HasPrefix(paths[1][1], "M495 0H990V") {
		t.Errorf("two equal parts and a small one are drawn as %v", paths)
	}
}

func TestScaleIsARoundNumberNotBelowTheTop(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 3000 {
		top := int64(i)
		if i > 1000 {
			top = r.Int64N(4 * most)
		}
		s := newScale(top)
		if steps := s.top / s.step; s.top < top || s.top%s.step != 0 || steps < 1 || steps > 4 || s.y(0) != height || s.y(s.top) != 0 {
			t.Fatalf("the scale of %d is %+v", top, s)
		}
		digits := strings.TrimRight(strconv.FormatInt(s.step, 10), "0")
		if digits != "1" && digits != "2" && digits != "5" {
			t.Fatalf("the step of %d is %d", top, s.step)
		}
	}
}

func TestAxisShowsAtMostTwelveLabels(t *testing.T) {
	t.Parallel()
	for n := range 400 {
		d := Data{}
		for i := range n {
			d.Labels = append(d.Labels, strconv.Itoa(i))
		}
		ticks := d.xTicks()
		if n <= maxTicks && len(ticks) != n || n > maxTicks && len(ticks) != 6 {
			t.Fatalf("%d labels have %d ticks", n, len(ticks))
		}
		before := -1
		for _, tick := range ticks {
			at, _ := strconv.Atoi(tick)
			if at <= before {
				t.Fatalf("%d labels have the ticks %v", n, ticks)
			}
			before = at
		}
		d.Ticks = []string{"one too few"}
		if got := d.xTicks(); n > 1 && n <= maxTicks && got[0] != "0" {
			t.Fatalf("ticks that do not fit the labels are used: %v", got)
		}
	}
}
