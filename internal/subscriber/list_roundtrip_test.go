package subscriber

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// awkward are parts of names, labels and topics that a list could confuse with its own signs.
var awkward = []string{
	"Ada", "a, b", "a;b", "a|b", `say "hi"`, "'", "''", "=1+1", "+1", "-1", "@x", "'=x", "'+x", `="x"`, "[", "]", "[a]", `["a","b"]`, "{", `\`, `\n`, "a ::: b", ":::", ":", "a:b",
	"ü", "日本", "e\u0301", "null", "none", "0", "1", "yes", "true", "-", "–", "a  b", "#", "a/b", "<b>", "&amp;", "%00", "sep=;", "email", "2024-01-02",
}

func pick(random *rand.Rand, values []string) string { return values[random.IntN(len(values))] }

// awkwardList returns up to three different values.
func awkwardList(random *rand.Rand) (out []string) {
	for range random.IntN(4) {
		if value := pick(random, awkward); !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	return out
}

// export writes subscribers with their subscriptions as a list.
func export(t *testing.T, people []Subscriber, of func(i int) []Subscription) string {
	t.Helper()
	var file bytes.Buffer
	w, err := NewListWriter(&file)
	for i, s := range people {
		if err == nil {
			err = w.Write(s, of(i))
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func TestAnyExportedSubscriberIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	locals := []string{"ada", "o'hara", "=cmd", "+a", "-a", "'x", `"a, b"`, `"a;b|c"`, `"a\"b"`, "用户", "a_b", "{x}"}
	states := slices.DeleteFunc(slices.Clone(States), func(s State) bool { return s == Erased })
	var people []Subscriber
	var subscriptions [][]Subscription
	for i := range 150 {
		local := pick(random, locals)
		if strings.HasPrefix(local, "'") {
			local = "ada" // refused in lists: an apostrophe before an address is one of a spreadsheet
		}
		s := Subscriber{
			Address: MustParseAddress(local + fmt.Sprintf("@d%d.bücher.example", i)),
			State:   states[random.IntN(len(states))], Labels: awkwardList(random),
			Language: pick(random, []string{"", "en", "pt-BR", "zh-Hant"}), MailLanguage: pick(random, []string{"", "fr"}), Timezone: pick(random, []string{"", "Europe/Berlin", "America/Port-au-Prince"}),
		}
		s.Name = NormalizeName(pick(random, awkward) + pick(random, []string{"", " Brook"}))
		if random.IntN(2) == 0 {
			s.Consent = Consent{Text: "at the fair", At: time.Unix(random.Int64N(2e9), 0).UTC()}
		}
		people = append(people, s)
		var of []Subscription
		for _, digest := range []string{"weekly", "daily"}[:random.IntN(3)] {
			of = append(of, Subscription{Digest: digest, Topics: awkwardList(random)})
		}
		subscriptions = append(subscriptions, of)
	}
	file := export(t, people, func(i int) []Subscription { return subscriptions[i] })
	list, err := OpenList(strings.NewReader(file), ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for row, err := range list.Rows() {
		if err != nil {
			t.Fatalf("%+v is exported so that it cannot be read: %v", people[i], err)
		}
		s, topics := people[i], topicsOf(subscriptions[i])
		if row.Address != s.Address || row.Name != s.Name || row.State != s.State || row.Language != s.Language || row.MailLanguage != s.MailLanguage || row.Timezone != s.Timezone || row.Consent != s.Consent {
			t.Errorf("%+v\ncomes back as\n%+v", s, row)
		}
		if fmt.Sprintf("%q", row.Labels) != fmt.Sprintf("%q", s.Labels) || fmt.Sprintf("%q", row.Topics) != fmt.Sprintf("%q", topics) || len(row.Digests) != len(subscriptions[i]) {
			t.Errorf("labels %q, topics %q, digests %v\ncome back as\n%q, %q, %v", s.Labels, topics, subscriptions[i], row.Labels, row.Topics, row.Digests)
		}
		i++
	}
	if i != len(people) {
		t.Errorf("%d of %d came back", i, len(people))
	}
}

// TestTopicsOfDifferentDigestsKeepTheirDigest checks the form digest:topic, in which topics are written when
// the digests of a person have different ones.
func TestTopicsOfDifferentDigestsKeepTheirDigest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   []Subscription
		want string
	}{
		{nil, "[]"},
		{[]Subscription{{Digest: "weekly"}}, "[]"},
		{[]Subscription{{Digest: "weekly", Topics: []string{"a"}}}, "[a]"},
		{[]Subscription{{Digest: "weekly", Topics: []string{"a"}}, {Digest: "daily", Topics: []string{"a"}}}, "[a]"},
		{[]Subscription{{Digest: "weekly", Topics: []string{"a"}}, {Digest: "daily"}}, "[weekly:a]"},
		{[]Subscription{{Digest: "weekly", Topics: []string{"a", "b"}}, {Digest: "daily", Topics: []string{"b", "a"}}}, "[weekly:a weekly:b daily:b daily:a]"},
	} {
		if got := fmt.Sprint(topicsOf(test.in)); got != test.want {
			t.Errorf("%v: %s, want %s", test.in, got, test.want)
		}
	}
}

func TestOrderOfLinesAndColumnsDoesNotMatter(t *testing.T) {
	t.Parallel()
	columns := [][]string{
		{"email", "a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org", "f@x.org", "g"},
		{"status", "active", "active", "unsubscribed", "active", "pending", "active", "active"},
		{"bounced", "", "2024-01-02", "", "", "", "no", ""},
		{"complained", "", "", "yes", "", "", "", ""},
		{"unsubscribed", "", "", "", "perhaps", "", "no", ""},
		{"first name", "Ada", "", "Carl", "", "Eve", "", ""},
		{"last name", "Brook", "Miles", "", "", "", "Fox", ""},
		{"tags", "x|y", "", "z", "", "", "", ""},
	}
	want := "a [Ada Brook] active [x y]; b [Miles] bounced []; c [Carl] complained [z]; d: state not understood; e [Eve] pending []; f [Fox] active []; : address not valid"
	random := rand.New(rand.NewPCG(5, 6))
	for range 10 {
		order := random.Perm(len(columns))
		lines := random.Perm(len(columns[0]) - 1)
		var in strings.Builder
		for _, line := range append([]int{-1}, lines...) {
			for i, c := range order {
				if i > 0 {
					in.WriteByte(';')
				}
				in.WriteString(columns[c][line+1])
			}
			in.WriteByte('\n')
		}
		got := make([]string, len(lines))
		at := 0
		for row, err := range readList(strings.NewReader(in.String()), ListOptions{}) {
			name, _, _ := strings.Cut(row.Address.String(), "@")
			got[lines[at]] = fmt.Sprintf("%s [%s] %s %v", name, row.Name, row.State, row.Labels)
			if fault, ok := err.(*LineError); ok {
				got[lines[at]] = string("abcdef "[lines[at]]) + ": " + fault.Reason
				got[lines[at]] = strings.TrimLeft(got[lines[at]], " ")
				if fault.Line != at+2 {
					t.Errorf("the fault of line %d is in line %d", at+2, fault.Line)
				}
			}
			at++
		}
		if all := strings.Join(got, "; "); all != want {
			t.Fatalf("%s\ngives %s\nwant  %s", in.String(), all, want)
		}
	}
}
