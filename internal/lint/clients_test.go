package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/lint"
)

// clientSamples has an element for each feature that common mail programs do not support.
var clientSamples = map[string]string{
	"css-display-flex":        `<div style="display:flex">x</div>`,
	"css-display-grid":        `<div style="display: inline-grid">x</div>`,
	"css-position":            `<div style="position:absolute">x</div>`,
	"css-float":               `<div style="float:left">x</div>`,
	"css-background-image":    `<div style="background:url(https://x.example/a.png)">x</div>`,
	"css-linear-gradient":     `<div style="background-image: linear-gradient(red, blue)">x</div>`,
	"css-radial-gradient":     `<div style="background-image: radial-gradient(red, blue)">x</div>`,
	"css-object-fit":          `<img alt="x" style="object-fit: cover">`,
	"css-transform":           `<div style="transform: rotate(9deg)">x</div>`,
	"css-variables":           `<div style="margin: var(--gap)">x</div>`,
	"css-function-clamp":      `<div style="width: clamp(1px, 2px, 3px)">x</div>`,
	"css-function-max":        `<div style="width: max(1px, 2px)">x</div>`,
	"css-function-min":        `<div style="width: min(1px, 2px)">x</div>`,
	"css-function-light-dark": `<div style="border-color: light-dark(#fff, #000)">x</div>`,
	"css-unit-calc":           `<div style="width: calc(100% - 2px)">x</div>`,
	"css-unit-rem":            `<div style="margin: 1.5rem">x</div>`,
	"css-unit-vw":             `<div style="width: 50vw">x</div>`,
	"css-unit-vh":             `<div style="height: 50vh">x</div>`,
	"css-modern-color":        `<div style="border-color: oklch(40% 0.2 140)">x</div>`,
	"css-writing-mode":        `<div style="writing-mode: vertical-rl">x</div>`,
	"css-column-count":        `<div style="columns: 2">x</div>`,
	"css-aspect-ratio":        `<div style="aspect-ratio: 16 / 9">x</div>`,
	"css-clip-path":           `<div style="clip-path: circle(50%)">x</div>`,
	"css-mask-image":          `<div style="mask-image: url(https://x.example/a.png)">x</div>`,
	"css-visibility":          `<div style="visibility: hidden">x</div>`,
	"css-gap":                 `<div style="gap: 8px">x</div>`,
	"css-white-space":         `<div style="white-space: pre-wrap">x</div>`,
	"html-video":              `<video></video>`,
	"html-audio":              `<audio></audio>`,
	"html-svg":                `<svg></svg>`,
	"html-form":               `<form></form>`,
	"html-input-text":         `<input>`,
	"html-select":             `<select></select>`,
	"html-textarea":           `<textarea></textarea>`,
	"html-button-submit":      `<button>x</button>`,
	"html-object":             `<object></object>`,
	"html-dialog":             `<dialog>x</dialog>`,
	"html-meter":              `<meter></meter>`,
	"html-progress":           `<progress></progress>`,
	"html-ruby":               `<ruby>x</ruby>`,
	"image-webp":              `<img alt="x" src="https://x.example/a.WEBP?v=2">`,
	"image-avif":              `<img alt="x" src="https://x.example/a.avif">`,
	"image-svg":               `<img alt="x" src="https://x.example/a.svg">`,
	"image-heif":              `<img alt="x" src="https://x.example/a.heic">`,
	"image-tiff":              `<img alt="x" src="https://x.example/a.tif">`,
	"image-base64":            `<img alt="x" src="data:image/png;base64,AAAA">`,
	"image-mp4":               `<img alt="x" src="https://x.example/a.mp4">`,
}

func TestEachUnsupportedFeatureIsFound(t *testing.T) {
	t.Parallel()
	for feature, html := range clientSamples {
		e := sound()
		swap(&e, "</body>", html+html+"</body>")
		got := slices.DeleteFunc(lint.Check(e), func(f lint.Finding) bool { return !strings.HasPrefix(f.Name, "client-") })
		if len(got) != 1 || got[0].Name != "client-"+feature || got[0].Severity != lint.Warning || !strings.Contains(got[0].Message, "not supported by ") {
			t.Errorf("%s: %+v", feature, got)
		}
	}
}

func TestDecorationIsNotReported(t *testing.T) {
	t.Parallel()
	e := sound()
	swap(&e, "</body>", `<div style="border-radius: 6px; box-shadow: 0 0 2px #000; position: static; display: block; background: #fff; gap: 0"><pre style="white-space: pre-wrap"></pre><img alt="x" src="https://gazette.example/media/ferry.jpg"></div></body>`)
	if got := lint.Check(e); len(got) > 0 {
		t.Errorf("findings: %+v", got)
	}
}

// TestClientTableHasEveryFeature checks that the table and the features name each other, and that
// the table says where it comes from.
func TestClientTableHasEveryFeature(t *testing.T) {
	t.Parallel()
	facts := lint.ClientFacts()
	for _, r := range lint.Rules() {
		if feature, found := strings.CutPrefix(r.Name, "client-"); found {
			if _, known := facts[feature]; !known {
				t.Errorf("clients.csv has no line %s; add it and run make client-support", feature)
			}
			if clientSamples[feature] == "" {
				t.Errorf("no sample shows that %s is found", feature)
			}
			delete(facts, feature)
		}
	}
	for feature := range facts {
		t.Errorf("clients.csv has the line %s, which no feature uses", feature)
	}
	for _, word := range []string{"caniemail.com", "MIT", "data of 20"} {
		if !strings.Contains(lint.ClientTable, word) {
			t.Errorf("clients.csv does not say %q", word)
		}
	}
}

func TestFactsFollowTheTable(t *testing.T) {
	t.Parallel()
	facts := lint.ReadSupport("# note\nfeature,Gmail on the web,Outlook for Mac,GMX\na,y,n,n\nb,y,a,n\nc,n,u,y\n")
	if got := facts["a"]; !slices.Equal(got, []string{"Outlook for Mac", "GMX"}) {
		t.Errorf("a is not supported by %v", got)
	}
	if got := facts["b"]; got != nil {
		t.Errorf("b, which only GMX does not support, is reported: %v", got)
	}
	if got := facts["c"]; !slices.Equal(got, []string{"Gmail on the web"}) {
		t.Errorf("c is not supported by %v", got)
	}
}
