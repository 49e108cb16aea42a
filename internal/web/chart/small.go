package chart

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// Part is a part of a whole.
type Part struct {
	Name  string
	Tone  Tone
	Value int64
}

// Share returns one bar that is divided in proportion to parts. The text that screen readers
// get names the parts that are not 0. Without any, it returns an empty bar. format writes a
// value; nil stands for plain digits.
func Share(title string, parts []Part, format func(int64) string) template.HTML {
	d := Data{Format: format}
	parts = slices.Clone(parts)
	var whole int64
	var texts []string
	for i := range parts {
		p := &parts[i]
		p.Value = min(p.Value, most)
		if p.Value > 0 {
			whole += p.Value
			texts = append(texts, p.Name+" "+d.Text(p.Value))
		}
	}
	f := small{Class: "share", Text: title}
	if len(texts) > 0 {
		f.Text += ": " + strings.Join(texts, ", ")
	}
	var at float64
	for i, wide := range partWidths(parts, whole) {
		p := parts[i]
		if p.Value <= 0 {
			continue
		}
		end := min(width, at+wide)
		f.Shapes = append(f.Shapes, shape{
			Class: "bar " + string(p.Tone), Title: p.Name + ": " + d.Text(p.Value),
			Path: fmt.Sprintf("M%s 0H%sV%sH%sZ", coordinate(at), coordinate(end), coordinate(height), coordinate(at)),
		})
		at = end
	}
	return render("small", f)
}

// partWidths returns the width of each part. A part that is there is visible, however small: the larger
// ones leave it a hundredth.
func partWidths(parts []Part, whole int64) []float64 {
	const least = width / 100
	share := func(p Part) float64 { return width * float64(p.Value) / float64(whole) }
	left, large := width, 0.0 // for the larger parts, and their sum
	for _, p := range parts {
		switch {
		case p.Value <= 0:
		case share(p) < least:
			left -= least
		default:
			large += share(p)
		}
	}
	out := make([]float64, len(parts))
	for i, p := range parts {
		switch {
		case p.Value <= 0:
		case share(p) < least:
			out[i] = least
		default:
			out[i] = share(p) * left / large
		}
	}
	return out
}

// small is the data of the template of Share.
type small struct {
	Class  string
	Text   string
	Shapes []shape
}

// templates are the HTML of the charts. Names and labels are escaped there.
var templates = template.Must(template.New("").Parse(`
{{- define "shapes"}}{{range .}}<path class="{{.Class}}" d="{{.Path}}">{{with .Title}}<title>{{.}}</title>{{end}}</path>{{end}}{{end}}
{{- define "empty"}}<p class="chart none">{{.Empty}}</p>{{end}}
{{- define "small"}}<svg class="chart {{.Class}}" role="img" aria-label="{{.Text}}" viewBox="0 0 1000 200" preserveAspectRatio="none">{{template "shapes" .Shapes}}</svg>{{end}}
{{- define "figure"}}<figure class="chart {{.Kind}}">
{{if gt (len .Series) 1}}<figcaption aria-hidden="true">{{range .Series}}<span class="key {{.Tone}}">{{.Name}}</span> {{end}}</figcaption>{{end}}
<div class="plot" aria-hidden="true"><div class="y">{{range .YTicks}}<span>{{.}}</span>{{end}}</div>
<svg viewBox="0 0 1000 200" preserveAspectRatio="none">{{range .Grid}}<path class="grid" d="{{.}}"/>{{end}}{{template "shapes" .Shapes}}</svg>
<div class="x">{{range .XTicks}}<span>{{.}}</span>{{end}}</div></div>
<table class="skip"><caption>{{.Title}}</caption><thead><tr><td></td>{{range .Series}}<th scope="col">{{or .Name $.Title}}</th>{{end}}</tr></thead>
<tbody>{{range $i, $label := .Labels}}<tr><th scope="row">{{$label}}</th>{{range $.Series}}<td>{{$.Text (index .Values $i)}}</td>{{end}}</tr>{{end}}</tbody></table>
</figure>{{end}}`))

func render(name string, data any) template.HTML {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		panic(err) // the templates and their data are of this package
	}
	return template.HTML(out.String())
}
