package lint_test

import (
	"testing"

	"github.com/tidings-press/tidings/internal/lint"
)

// FuzzCheck checks that no HTML, subject or text breaks the check.
func FuzzCheck(f *testing.F) {
	f.Add(sound().Variants[0].HTML, "subject", "text")
	f.Add(`<style>@media (prefers-color-scheme: dark) { a:not( { color: rgb(1,,2) } </style><a href="%zz" style="color: #12; font-size: 1e999em; background: url(">x</a>`, "{{", "")
	f.Add(`<style>} @media { .a { } </style><img width="-1" src="data:,"><p style="color">x`, "", "\x00")
	f.Add(`<style>; background: url(">x</am`, "", "") // once without end
	f.Fuzz(func(t *testing.T, html, subject, text string) {
		e := sound()
		v := &e.Variants[0]
		v.HTML, v.Subject, v.Text, v.Message = html, subject, text, []byte(text)
		for _, finding := range lint.Check(e) {
			if finding.Name == "" || finding.Severity == "" || finding.Message == "" || finding.Fix == "" {
				t.Errorf("%+v", finding)
			}
		}
	})
}
