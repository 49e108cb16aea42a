package warmup

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Plan{
		"":                           {},
		"500/day x2":                 {500, 2, 0},
		"  500/day   x1.5 max 20000": {500, 1.5, 20000},
		"1/day x10":                  {1, 10, 0},
		"500/day x2 max 500":         {500, 2, 500},
	} {
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		if again, err := Parse(want.String()); again != want || err != nil {
			t.Errorf("%q is written as %q, which is %+v, %v", text, want.String(), again, err)
		}
	}
	for text, want := range map[string]string{
		"500":                     "is not a warm-up plan; write the mails of the first day and the factor",
		"500/day":                 "such as \"500/day x2\"",
		"500/week x2":             "is not a warm-up plan",
		"-5/day x2":               "is not a warm-up plan",
		"500/day x2 max":          "is not a warm-up plan",
		"9999999999999999/day x2": "is not a warm-up plan",
		"0/day x2":                "the first day has 0 mails; use 1 to 1000000",
		"500/day x1":              "the factor is x1; use one above x1",
		"500/day x0.5":            "the factor is x0.5",
		"500/day x11":             "up to x10",
		"500/day x2 max 499":      "the maximum 499 is below the 500 mails of the first day",
	} {
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || got.Set() {
			t.Errorf("%q is %+v, %v; want %q", text, got, err, want)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	plan, capped := Plan{500, 2, 0}, Plan{500, 1.5, 1000}
	for _, c := range []struct {
		name            string
		plan            Plan
		allowance, sent int64
		want            int64
	}{
		{"all used", plan, 500, 500, 1000},
		{"all used later", plan, 4000, 4000, 8000},
		{"none used", plan, 4000, 0, 4000},
		{"few used", plan, 4000, 30, 4000},
		{"most used", plan, 4000, 3000, 6000},
		{"single mails beyond it", plan, 500, 700, 1000},
		{"up to the maximum", capped, 900, 900, 1000},
		{"at the maximum", capped, 1000, 1000, 1000},
		{"above a maximum that was lowered", capped, 5000, 0, 1000},
		{"below a start that was raised", plan, 100, 100, 500},
		{"huge", plan, unlimited, unlimited, unlimited},
	} {
		if got := c.plan.Next(c.allowance, c.sent); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	plan := Plan{500, 2, 2000}
	for _, c := range []struct {
		allowance, left, mails int64
		want                   int
	}{
		{500, 500, 0, 0}, {500, 500, 500, 0}, {500, 500, 501, 1}, {500, 0, 1000, 1}, {500, 0, 1001, 2},
		{500, 0, 3000, 2}, {500, 0, 5000, 3}, {500, 0, 5001, 4}, {500, 0, 1 << 60, maxDays},
	} {
		if got := plan.Days(c.allowance, c.left, c.mails); got != c.want {
			t.Errorf("%+v: %d days", c, got)
		}
	}
}
