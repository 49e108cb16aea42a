package config

import (
	"strings"
	"testing"
)

func TestLimitsOfSenderAreChecked(t *testing.T) {
	t.Parallel()
	file := func(line string) string {
		return "site: {url: https://press.example}\nrelays:\n  - host: smtp.example.org\n    " + line + "\n"
	}
	for text, want := range map[string]string{
		file("warmup: 500/week x2"):                              `"500/week x2" is not a warm-up plan`,
		file("warmup_per_domain: 500/day x1"):                    "the factor is x1; use one above x1",
		file("warmup: 500/day x2 max 100"):                       "the maximum 100 is below the 500 mails of the first day",
		file("weight: 1") + "delivery: {complaints_stop: 101}\n": "use a percentage from 0 (off) to 100",
		file("weight: 1") + "delivery: {refusals_stop: -1}\n":    "use a percentage from 0 (off) to 100",
	} {
		if got := strings.Join(problemsOf(t, text), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{file("warmup: 500/day x2 max 20000"), file("weight: 1") + "delivery: {complaints_warn: 0, complaints_stop: 0, refusals_stop: 0}\n"} {
		if _, err := Parse([]byte(text), "c.yaml"); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
