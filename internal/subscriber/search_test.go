package subscriber

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSearchFindsWordsOfAddressAndName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		search, address, name string
		found                 bool
	}{
		{"", "ada@example.org", "", true},
		{"ada", "ada@example.org", "", true},
		{"ADA", "ada@example.org", "", true},
		{"example", "ada@example.org", "", true},
		{"xample.o", "ada@example.org", "", true},
		{"eleve", "x@y.org", "Élève", true},
		{"élève", "x@y.org", "Eleve", true},
		{"ada brook", "ada@example.org", "Ms Brook", true},
		{"ada miles", "ada@example.org", "Ms Brook", false},
		{"ad", "ada@example.org", "", true},
		{"da", "ada@example.org", "", false}, // two letters begin a word
		{"br", "x@y.org", "Ada Brook", true},
		{"a", "x@y.org", "", true}, // a single letter is no word
		{"%", "x@y.org", "", true},
		{"x%z", "xyz@y.org", "", false},
		{"x_z", "xyz@y.org", "", false},
		{"日本", "x@y.org", "日本太郎", true},
		{"ad\x00a", "ada@example.org", "", true},
		{strings.Repeat("ada ", 50), "ada@example.org", "", true},
	} {
		if got := ParseSearch(test.search).Matches(test.address, test.name); got != test.found {
			t.Errorf("%q in %q %q: %v", test.search, test.address, test.name, got)
		}
	}
}

func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("word ", 1000), strings.Repeat("x", 1<<16), strings.Repeat("\u0301", 1000), "\xFF\xFE a\xFFb", "ﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺ"} {
		s := ParseSearch(text)
		if len(s.Words) > maxSearchWords || len(s.Trigrams()) > maxSearchTrigrams {
			t.Errorf("%.20q: %d words, %d trigrams", text, len(s.Words), len(s.Trigrams()))
		}
		for _, word := range s.Words {
			if n := utf8.RuneCountInString(word); n < 2 || n > maxSearchRunes || !utf8.ValidString(word) {
				t.Errorf("%.20q: a word of %d letters", text, n)
			}
		}
	}
	if !ParseSearch(" a  b ").IsZero() || ParseSearch("ab").IsZero() {
		t.Error("a search without words is taken for one with words, or the other way round")
	}
}

// TestTrigramsOccurInWhatASearchFinds: the store looks for the trigrams first.
func TestTrigramsOccurInWhatASearchFinds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	letters := []rune("abcé ñ日.-_@Ⅷß")
	text := func(n int) string {
		out := make([]rune, random.IntN(n))
		for i := range out {
			out[i] = letters[random.IntN(len(letters))]
		}
		return string(out)
	}
	found := 0
	for range 1000 {
		s, address, name := ParseSearch(text(6)), text(12), text(12)
		if !s.Matches(address, name) {
			continue
		}
		found++
		folded := foldText(" " + address + " " + name + " ")
		for _, trigram := range s.Trigrams() {
			if !strings.Contains(folded, trigram) {
				t.Fatalf("%q finds %q %q without its trigram %q", s.Words, address, name, trigram)
			}
		}
	}
	if found < 50 {
		t.Fatalf("only %d searches found something", found)
	}
}

// TestNamesAreOneLineAndStay: a name that was normalized once stays as it is.
func TestNamesAreOneLineAndStay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada": "Ada", " Ada \t Brook ": "Ada Brook", "Ada\r\nBcc: x@y.org": "Ada Bcc: x@y.org", "A\x00da": "A da", "\u202EadA": "adA", "Ada\u200B": "Ada", "\xFFAda": "Ada",
		"نام\u200Cمن": "نام\u200Cمن", "": "", "\n": "", strings.Repeat("x", 201): strings.Repeat("x", 200), strings.Repeat("é", 101): strings.Repeat("é", 100), strings.Repeat("x", 199) + " y": strings.Repeat("x", 199), "A\u2028B": "A B",
	} {
		got := NormalizeName(in)
		if got != want || NormalizeName(got) != got {
			t.Errorf("%.60q gives %.60q and then %.60q, want %.60q", in, got, NormalizeName(got), want)
		}
	}
	random := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		in := make([]byte, random.IntN(300))
		for i := range in {
			in[i] = byte(random.IntN(256))
		}
		name := NormalizeName(string(in))
		if len(name) > maxName || strings.ContainsAny(name, "\r\n\x00") || !utf8.ValidString(name) || NormalizeName(name) != name {
			t.Fatalf("%q gives %q and then %q", in, name, NormalizeName(name))
		}
	}
}

// TestMailboxIsTheSameForAllItsSpellings: so many sign-ups of one mailbox are counted as one.
func TestMailboxIsTheSameForAllItsSpellings(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada@Example.org": "ada@example.org", "ada+news@example.org": "ada@example.org", "ada+a+b@example.org": "ada@example.org", "+ada@example.org": "+ada@example.org",
		"a.d.a+x@gmail.com": "ada@gmail.com", "a.d.a@googlemail.com": "ada@gmail.com", "a.d.a@example.org": "a.d.a@example.org", `"a+b c"@example.org`: `"a+b c"@example.org`,
	} {
		mailbox := MustParseAddress(in).Mailbox()
		if fmt.Sprint(mailbox) != want || mailbox.Mailbox() != mailbox {
			t.Errorf("%s is in the mailbox %s, want %s", in, mailbox, want)
		}
	}
	if !(Address{}).Mailbox().IsZero() {
		t.Error("no address has a mailbox")
	}
}
