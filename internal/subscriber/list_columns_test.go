package subscriber

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// spellings returns the ways in which systems write a heading.
func spellings(heading string) []string {
	words := strings.Fields(heading)
	camel := words[0]
	for _, word := range words[1:] {
		camel += strings.ToUpper(word[:1]) + word[1:]
	}
	return []string{heading, strings.ToUpper(heading), strings.Join(words, "_"), strings.ToUpper(strings.Join(words, "-")), camel, "  " + heading + "\u00A0", "\u200B" + heading, heading + ":", `="` + heading + `"`}
}

// TestEveryHeadingIsReadInEverySpelling checks the whole table of headings, each with the cells that decide
// whether a person may be mailed.
func TestEveryHeadingIsReadInEverySpelling(t *testing.T) {
	t.Parallel()
	outcomes := map[Meaning]map[string]State{
		MeansState:       {"unsubscribed": Unsubscribed, "active": Active, "bounced": Bounced},
		MeansStays:       {"no": Unsubscribed, "yes": Active, "FALSE": Unsubscribed, "1": Active},
		MeansLeft:        {"yes": Unsubscribed, "no": "", "": "", "2024-05-06": Unsubscribed, "1": Unsubscribed, "never": ""},
		MeansLeftBecause: {"too many mails": Unsubscribed, "": "", "spam complaint": Complained},
		MeansBounced:     {"yes": Bounced, "0": "", "": "", "06/05/2024": Bounced},
		MeansBounceType:  {"hard": Bounced, "soft": "", "": "", "Permanent (5.1.1)": Bounced},
		MeansComplained:  {"x": Complained, "no": "", "": "", "1651400000": Complained},
		MeansConfirmed:   {"yes": "", "no": Pending, "": Pending, "2024-01-01": ""},
	}
	for meaning, list := range headingLists {
		for heading := range strings.SplitSeq(list, ",") {
			heading = strings.Join(strings.Fields(heading), " ")
			for _, spelling := range spellings(heading) {
				if got, _ := meaningOf(trimCell(spelling)); got != meaning {
					t.Errorf("%q is read as %q, want %q", spelling, got, meaning)
				}
			}
			for cell, want := range outcomes[meaning] {
				if got := readStates(t, "email,"+heading+"\na@x.org,"+cell+"\n", ListOptions{}); got != "a:"+string(want) {
					t.Errorf("%q with %q gives %s, want a:%s", heading, cell, got, want)
				}
			}
			delete(outcomes, meaning) // once for each meaning
		}
	}
}

// TestCellsThatAreNotUnderstoodAreNotSubscribed: each of these lines could be of a person who left.
func TestCellsThatAreNotUnderstoodAreNotSubscribed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ heading, cell, what string }{
		{"status", "", ""},
		{"status", "dormant", `column "status" holds "dormant", which is not understood`},
		{"status", "аctive", `column "status" holds "аctive"`}, // with a Cyrillic letter
		{"status", strings.Repeat("active ", 20), `column "status" holds "active active`},
		{"subscribed", "", `column "subscribed" is empty`},
		{"subscribed", "null", `column "subscribed" holds "null"`},
		{"subscribed", "sometimes", `column "subscribed" holds "sometimes"`},
		{"unsubscribed", "2", `column "unsubscribed" holds "2"`},
		{"unsubscribed", "12345678", `column "unsubscribed" holds "12345678"`},
		{"bounce type", "yes", `column "bounce type" holds "yes"`},
		{"bounce type", "medium", `column "bounce type" holds "medium"`},
		{"confirmed", "later", `column "confirmed" holds "later"`},
		{"consent", "never asked", `column "consent" holds "never asked"`},
		{"consent", "Keine Zustimmung", `column "consent" holds "Keine Zustimmung"`},
	} {
		var got string
		for row, err := range readList(strings.NewReader("email;"+test.heading+"\na@x.org;"+test.cell+"\n"), ListOptions{}) {
			var fault *LineError
			switch {
			case errors.As(err, &fault):
				got = fault.What
				if fault.Reason != "state not understood" || fault.Line != 2 || fault.Expected == "" || fault.Heading != test.heading {
					t.Errorf("%s with %q: %+v", test.heading, test.cell, fault)
				}
			case err != nil || row.State != "":
				t.Errorf("%s with %q: state %q, %v", test.heading, test.cell, row.State, err)
			}
		}
		if !strings.HasPrefix(got, test.what) || (test.what == "") != (got == "") {
			t.Errorf("%s with %q: %q, want %q", test.heading, test.cell, got, test.what)
		}
		// Another column that says that the person left still counts.
		if got := readStates(t, "email;"+test.heading+";deleted\na@x.org;"+test.cell+";yes\n", ListOptions{}); got != "a:unsubscribed" {
			t.Errorf("%s with %q beside a departure: %s", test.heading, test.cell, got)
		}
	}
}

func TestMostSevereStateCounts(t *testing.T) {
	t.Parallel()
	order := []State{"", Active, Paused, Pending, Unsubscribed, Bounced, Complained, Erased}
	for i, a := range order {
		for j, b := range order {
			if a.Worse(b) != (i > j) {
				t.Errorf("%q is worse than %q: %v", a, b, a.Worse(b))
			}
			want := order[max(i, j)]
			if a == "" || b == "" {
				continue
			}
			if got := readStates(t, fmt.Sprintf("status,email,state\n%s,a@x.org,%s\n", a, b), ListOptions{}); got != "a:"+string(want) {
				t.Errorf("%s beside %s gives %s", a, b, got)
			}
		}
	}
}

func TestDatesOfConsentHaveOneMeaning(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"2024-05-06": "2024-05-06T00:00:00Z", "2024-05-06T07:08:09+02:00": "2024-05-06T05:08:09Z", "2024-05-06 07:08": "2024-05-06T07:08:00Z", "6.5.2024": "2024-05-06T00:00:00Z",
		"May 6, 2024": "2024-05-06T00:00:00Z", "6 May 2024": "2024-05-06T00:00:00Z", "2024/05/06 07:08:09": "2024-05-06T07:08:09Z", "6-May-24": "2024-05-06T00:00:00Z", "2024-05-06 07:08:09 UTC": "2024-05-06T07:08:09Z",
		"": "", "null": "", "0000-00-00": "", "1970-01-01 00:00:00": "", "n/a": "",
		"06/05/2024": "!", "05/06/24": "!", "2024-13-01": "!", "2024-02-30": "!", "yesterday": "!", "10000-01-01": "!", "0000-01-01": "!", "0024-05-06": "!", "1023-05-06": "!", "2024": "!", "yes": "!",
		"1651400000": "!",
	} {
		for row, err := range readList(strings.NewReader("email;consented at\na@x.org;"+cell+"\n"), ListOptions{}) {
			got := ""
			if !row.Consent.At.IsZero() {
				got = row.Consent.At.Format("2006-01-02T15:04:05Z07:00")
			}
			if err != nil {
				got = "!"
				if want := "line 2: column \"consented at\": date " + fmt.Sprintf("%q", cell) + " is not understood; expected: a date such as 2026-05-31"; !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%q: %v", cell, err)
				}
			}
			if got != want {
				t.Errorf("%q is %s, want %s", cell, got, want)
			}
		}
	}
}

func TestChosenColumnsTakePrecedence(t *testing.T) {
	t.Parallel()
	const list = "E-Mail,status,notes,Contact\na@x.org,unsubscribed,active,b@x.org\n"
	for _, test := range []struct {
		name string
		opts ListOptions
		want string
	}{
		{"nothing chosen", ListOptions{}, "a:unsubscribed"},
		{"the state ignored", ListOptions{Ignore: []string{" STATUS "}}, "a:"},
		{"another state", ListOptions{Ignore: []string{"status"}, Columns: map[string]Meaning{"Notes": MeansState}}, "a:active"},
		{"both states", ListOptions{Columns: map[string]Meaning{"notes": MeansState}}, "a:unsubscribed"},
		{"another address", ListOptions{Columns: map[string]Meaning{"contact": MeansAddress}}, "b:unsubscribed"},
		{"by its place", ListOptions{Positions: map[int]Meaning{3: MeansAddress, 1: MeansNothing, 9: MeansName}}, "b:"},
		{"the place before the heading", ListOptions{Columns: map[string]Meaning{"status": MeansState}, Positions: map[int]Meaning{1: MeansNothing}}, "a:"},
		{"an address that is no address", ListOptions{Columns: map[string]Meaning{"notes": MeansAddress}}, "2 refused (address not valid)"},
		{"no address", ListOptions{Ignore: []string{"E-Mail", "Contact"}}, "stopped: subscriber list: line 1: no column for the address; name it email, or say which one it is"},
		{"a heading that is not there", ListOptions{Ignore: []string{"statsu"}}, `stopped: subscriber list: the list has no column "statsu"; its columns: "E-Mail", "status", "notes", "Contact"`},
	} {
		if got := readStates(t, list, test.opts); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if got := readStates(t, list, ListOptions{Columns: map[string]Meaning{"notes": "remark"}}); !strings.HasPrefix(got, `stopped: subscriber list: column "notes" cannot be read as "remark"; known are: email, name, first name`) {
		t.Error(got)
	}
	for in, want := range map[string]string{
		"a@x.org,Ada,unsubscribed\nb@x.org,Ben,active\n": "a:unsubscribed b:active",
		"a@x.org,Ada\n": "a:",
	} {
		if got := readStates(t, in, ListOptions{Positions: map[int]Meaning{1: MeansName, 2: MeansState}}); got != want {
			t.Errorf("without a header: %s, want %s", got, want)
		}
	}
	if got := readStates(t, "a@x.org,Ada,active\n", ListOptions{Positions: map[int]Meaning{1: MeansName}}); got != "stopped: subscriber list: line 1: the list has no header, and it is not known what column 3 means" {
		t.Error(got)
	}
}
