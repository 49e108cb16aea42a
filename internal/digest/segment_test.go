package digest_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
)

func TestSegmentsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]digest.Segment{
		"":                            nil,
		"label:Donor":                 {{Kind: digest.HasLabel, Values: []string{"donor"}}},
		`label:donor,"Board  member"`: {{Kind: digest.HasLabel, Values: []string{"donor", "board member"}}},
		" label:donor , press ":       {{Kind: digest.HasLabel, Values: []string{"donor", "press"}}},
		"NOT lang:pt-br":              {{Kind: digest.HasLanguage, Not: true, Values: []string{"pt-br"}}},
		"label:NOT":                   {{Kind: digest.HasLabel, Values: []string{"not"}}},
		"topic:sea AND NOT label:a AND joined-since:2026-01-31 AND joined-before:2026-02-01": {
			{Kind: digest.InTopic, Values: []string{"sea"}}, {Kind: digest.HasLabel, Not: true, Values: []string{"a"}},
			{Kind: digest.JoinedSince, Values: []string{"2026-01-31"}}, {Kind: digest.JoinedBefore, Values: []string{"2026-02-01"}},
		},
	} {
		got, err := digest.ParseSegment(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestInvalidSegmentsGiveReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"donor":                     `unknown condition "donor"; expected label:`,
		"state:active":              `unknown condition "state:active"; expected label:`,
		"label:a OR label:b":        `AND is expected before "OR"`,
		"label:a label:b":           `AND is expected before "label:b"`,
		"label:a AND":               "a condition is expected after the last AND",
		"label:":                    "label: needs a value after it, such as label:donor",
		"label:a,":                  "label: needs a value after it",
		`label:"board`:              `the quote before "board" is never closed`,
		"lang:english-of-the-court": `"english-of-the-court" is not a language`,
		"joined-since:yesterday":    `"yesterday" is not a date; write it as 2026-01-31`,
		"joined-before:2026-02-30":  `"2026-02-30" is not a date`,
		"NOT NOT label:a":           `unknown condition "NOT"`,
		"(label:a)":                 `unknown condition "(label:a)"`,
		strings.Repeat("a", 2001):   "at most 2000",
		strings.Repeat("lang:en AND ", 20) + "lang:en": "more than 20 conditions",
		"label:" + strings.Repeat("a,", 60):            "more than 50 values",
	} {
		if _, err := digest.ParseSegment(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func TestInvalidAudiencesGiveReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "cannot be read",
		"{}":                              "at least one digest",
		`{"digests":["a","b","a"]}`:       `the digest "a" is named twice`,
		`{"digests":["a"],"segment":"x"}`: `unknown condition "x"`,
	} {
		if _, err := digest.ParseAudience(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	a := digest.Audience{Digests: []string{"a", "b"}, Segment: "label:x", Public: true, Template: "letter"}
	if got, err := digest.ParseAudience(a.Encode()); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("%+v, %v", got, err)
	}
}
