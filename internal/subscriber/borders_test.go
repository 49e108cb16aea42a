package subscriber

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestLinesAfterAQuoteThatIsNotClosedAreAllReported: a line that is too long ends the search for the closing
// quote. It was left out without a word, and the error of the quote named it.
func TestLinesAfterAQuoteThatIsNotClosedAreAllReported(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine+1)
	for name, c := range map[string]struct{ list, want string }{
		"a long line follows":       {"email,name\n\"a@x.org,A\n" + long + "\nb@x.org,B\n", "2 refused (line not readable) 3 refused (line not readable) b:"},
		"lines stand between":       {"email,name\n\"a@x.org,A\nb@x.org,B\n" + long + "\nc@x.org,C\n", "2 refused (line not readable) b: 4 refused (line not readable) c:"},
		"two quotes before it":      {"email,name\n\"a@x.org,A\nb@x.org,\"B\n" + long + "\nc@x.org,C\n", "2 refused (line not readable) 3 refused (line not readable) 4 refused (line not readable) c:"},
		"the list ends":             {"email,name\n\"a@x.org,A\nb@x.org,B", "2 refused (line not readable) b:"},
		"a long line with quotes":   {"email,name\n\"a@x.org," + long + "\"\nb@x.org,B\n", "2 refused (line not readable) b:"},
		"text after the last quote": {"email,name\na@x.org,\"A\nb@x.org\"x,B\nc@x.org,C\n", "2 refused (line not readable) 3 refused (line not readable) c:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readStates(t, c.list, ListOptions{}); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryLineIsReadOrReportedOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 12))
	long := strings.Repeat("y", maxLine+1)
	for range 100 {
		lines := []string{"email,name"}
		good := map[int]string{} // by line number
		for i := range random.IntN(12) {
			address := fmt.Sprintf("a%d@x.org", i)
			switch random.IntN(6) {
			case 0:
				lines = append(lines, `"`+address+`,A`)
			case 1:
				lines = append(lines, long)
			case 2:
				lines = append(lines, "no address,"+"A")
			default:
				good[len(lines)+1] = address
				lines = append(lines, address+",A")
			}
		}
		seen := map[int]bool{}
		for row, err := range readList(strings.NewReader(strings.Join(lines, "\n")+"\n"), ListOptions{}) {
			line := row.Line
			var fault *LineError
			if errors.As(err, &fault) {
				line = fault.Line
			} else if err != nil {
				t.Fatal(err)
			}
			if seen[line] {
				t.Fatalf("line %d comes twice in\n%.300q", line, lines)
			}
			seen[line] = true
			if address := good[line]; err == nil && row.Address.String() != address {
				t.Fatalf("line %d is read as %s, want %q", line, row.Address, address)
			}
			// A good line between two stray quotes becomes a part of a field.
		}
		quotes := strings.Count(strings.Join(lines, "\n"), `"`)
		for line := 2; line <= len(lines); line++ {
			if quotes < 2 && !seen[line] {
				t.Fatalf("line %d of %d was neither read nor reported:\n%.300q", line, len(lines), lines)
			}
		}
	}
}

func TestAddressesWrittenWithATAreScrubbedInAnyCase(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"550 ann(At)example.org unknown":              "550 [address] unknown",
		"550 ann[aT]example.org unknown":              "550 [address] unknown",
		"550 ann&#X40;example.org unknown":            "550 [address] unknown",
		"550 ann=40example.org unknown":               "550 [address] unknown",
		"550 not(yet) known":                          "550 not(yet) known",
		"550 wait[3] at (a) host":                     "550 wait[3] at (a) host",
		"SRS0=x=y=example.org=ann@fwd.example":        "[address]",
		"550 http://a.example/?x=ann@example.org#top": "550 http://a.example/?x=[address]#top",
		"550 <\"a b\"@example.org>":                   "550 <[address]>",
		"550 ann@":                                    "550 ann@",
		"@example.org":                                "@example.org",
	} {
		if got := ScrubAddresses(reply); got != want {
			t.Errorf("%q becomes %q, want %q", reply, got, want)
		}
	}
}

// TestASCIIAddressesAgreeWithTheStandardLibrary compares addresses with package net/mail, which reads RFC 5322.
func TestASCIIAddressesAgreeWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 13))
	letters := []byte("abcXYZ019.-_+'!#$%&*/=?^`{|}~\"\\ @(),:;<>[]")
	for range 4000 {
		local := make([]byte, 1+random.IntN(6))
		for i := range local {
			local[i] = letters[random.IntN(len(letters))]
		}
		text := string(local) + "@example.org"
		ours, err := ParseAddress(text)
		parsed, theirErr := (&mail.AddressParser{}).Parse("<" + text + ">")
		if err != nil || theirErr != nil {
			// We are stricter: a name before the address and comments in it are no part of an address.
			if err == nil && theirErr != nil {
				t.Fatalf("%q is read as %s, and refused by net/mail: %v", text, ours, theirErr)
			}
			continue
		}
		theirs, err := ParseAddress(quoted(parsed.Address))
		if err != nil || theirs.Key() != ours.Key() {
			t.Fatalf("%q is read as %s, and by net/mail as %q (%v)", text, ours, parsed.Address, err)
		}
	}
}

// quoted returns an address of net/mail, whose local part is without quotes, with quotes.
func quoted(address string) string {
	at := strings.LastIndexByte(address, '@')
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(address[:at]) + `"` + address[at:]
}

func TestAddressesAtTheirLimits(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 63)
	domain := label + "." + label + "." + label + "." + strings.Repeat("d", 253-3*64)
	for name, c := range map[string]struct{ address, want string }{
		"64 octets before the @":   {strings.Repeat("l", 64) + "@example.org", ""},
		"65 octets before the @":   {strings.Repeat("l", 65) + "@example.org", "65 octets are before the @"},
		"64 octets in two letters": {strings.Repeat("é", 32) + "@example.org", ""},
		"66 octets in two letters": {strings.Repeat("é", 33) + "@example.org", "66 octets are before the @"},
		"quotes count":             {`"` + strings.Repeat(" ", 63) + `"@example.org`, "65 octets are before the @"},
		"quotes that are dropped":  {`"` + strings.Repeat("l", 64) + `"@example.org`, ""},
		"a label of 63 octets":     {"a@" + label + ".org", ""},
		"a label of 64 octets":     {"a@d" + label + ".org", "a part of the domain has more than 63 octets"},
		"254 octets":               {strings.Repeat("l", 254-1-190) + "@" + domain[:190-2] + ".o", ""},
		"255 octets":               {strings.Repeat("l", 255-1-190) + "@" + domain[:190-2] + ".o", "it is too long"},
		"a domain of 254 octets":   {"a@" + domain + "d", "the domain has 254 octets, more than 253"},
		"a thousand octets":        {strings.Repeat("l", 1017) + "@example.org", "it is too long"},
		"a domain of one label":    {"a@localhost", "the domain has no dot"},
		"a number at the end":      {"a@example.123", "the domain ends in a number"},
		"an IP address":            {"a@192.0.2.1", "the domain ends in a number"},
		"a number inside":          {"a@1.2x", ""},
		"an underscore":            {"a@ex_ample.org", "it has the character '_' in the domain"},
		"a hyphen first":           {"a@-example.org", "begins or ends with a hyphen"},
		"a dot at the end":         {"a@example.org.", "a dot is first, last or doubled in the domain"},
		"punycode that is none":    {"a@xn--zzzzzz99999.org", "the domain is not a valid international domain"},
		"full-width letters":       {"a@ｅｘａｍｐｌｅ．org", ""},
		"a zero-width space":       {"a\u200bb@example.org", "it has the invisible character U+200B"},
		"a zero-width joiner":      {"क्\u200dष@example.org", ""},
		"a soft hyphen":            {"a@exam\u00adple.org", ""},
		"a right-to-left domain":   {"a@דוגמה.org", ""},
		"mixed directions":         {"a@aדוגמה.org", "the domain is not a valid international domain"},
		"a line break":             {"a\n@example.org", "it has a line break"},
		"a NUL in quotes":          {"\"a\x00\"@example.org", "it has the invisible character U+0000"},
		"an escaped letter":        {`"\a\"b"@example.org`, ""},
		"an escape at the end":     {`"a\"@example.org`, "a backslash before the @ escapes nothing that it may"},
		"broken UTF-8":             {"\xff@example.org", "it is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := ParseAddress(c.address)
			if c.want != "" {
				var wrong *AddressError
				if !errors.As(err, &wrong) || !strings.Contains(wrong.What, c.want) || wrong.Expected == "" || len(err.Error()) > 400 {
					t.Errorf("%s, %v; want %q", a, err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{a.String(), a.ASCII()} {
				if again, err := ParseAddress(form); err != nil || again != a {
					t.Errorf("%q is read as %q, %v", form, again, err)
				}
			}
			if len(a.ASCII()) > MaxAddress || !utf8.ValidString(a.Key()) {
				t.Errorf("%s has %d octets", a, len(a.ASCII()))
			}
		})
	}
}

func TestNoAddressIsEmptyInEveryForm(t *testing.T) {
	t.Parallel()
	var none Address
	if got := none.String() + none.ASCII() + none.Key() + none.Domain() + none.Local() + none.Masked() + none.UnicodeDomain(); got != "" || !none.IsZero() || !none.Mailbox().IsZero() {
		t.Errorf("%q", got)
	}
	data, err := json.Marshal(none)
	if err != nil || string(data) != `""` {
		t.Errorf("%s, %v", data, err)
	}
	read := MustParseAddress("ada@example.org")
	if err := json.Unmarshal([]byte(`""`), &read); err != nil || !read.IsZero() {
		t.Errorf("%v, %v", read, err)
	}
	if err := json.Unmarshal([]byte(`"no address"`), &read); err == nil {
		t.Error("JSON with no address was read")
	}
	defer func() {
		if recover() == nil {
			t.Error("a constant that is no address is accepted")
		}
	}()
	MustParseAddress("ada")
}

func TestMaskedAddressesHideWhoItIs(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ada@mail.example.org": "a…@m….org", `"two words"@example.org`: "t…@e….org", "é@bücher.example": "é…@b….example", "x@a.b": "x…@a….b",
	} {
		if got := MustParseAddress(address).Masked(); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

func TestLanguagesAreKnownByManyNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"en": "en", "EN": "en", "fr_FR": "fr-FR", "pt-br": "pt-BR", "zh-hant-tw": "zh-Hant-TW", "en_US.UTF-8": "en-US", "English (US)": "en", "Deutsch": "de", "allemand": "de", "Français": "fr", "FRANCAIS": "fr",
		"日本語": "ja", "Norsk": "no", "Simplified Chinese": "zh-Hans", "  de  ": "de", "Brazilian Portuguese": "pt-BR",
		"": "", "und": "", "x-foo": "", "klingonese": "", "C.UTF-8": "", "POSIX": "", "(en)": "", "de;drop": "", "\xff": "", "12": "", strings.Repeat("e", 61): "", "root": "",
	} {
		got, ok := ParseLanguage(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", text, got, ok, want)
		}
		if again, _ := ParseLanguage(got); again != got {
			t.Errorf("%q becomes %q and then %q", text, got, again)
		}
	}
}

func TestTimezonesAreKnownInAnyCase(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"europe/zurich": "Europe/Zurich", "EUROPE/ZURICH": "Europe/Zurich", "America/New York": "America/New_York", "america/port-au-prince": "America/Port-au-Prince", "america/argentina/buenos_aires": "America/Argentina/Buenos_Aires",
		"utc": "UTC", "gmt": "GMT", "etc/gmt+5": "Etc/GMT+5", "europe/isle of man": "Europe/Isle_of_Man", "us/pacific": "US/Pacific", "est5edt": "EST5EDT", "asia/ust-nera": "Asia/Ust-Nera", "america/st_johns": "America/St_Johns",
		"": "", "local": "", "Local": "", "../etc/passwd": "", "/etc/localtime": "", "Europe/": "", "Europe": "", "Mars/Olympus": "", "+01:00": "", strings.Repeat("a", 41): "", "europe\\zurich": "", "\x00": "", "zone.tab": "",
	} {
		got, ok := ParseTimezone(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", text, got, ok, want)
		}
		if _, err := time.LoadLocation(got); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	}
}

func TestNamesWithAddressesAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Ada <ada@example.org>":                 "Ada|ada@example.org",
		`"Lind, Ada \"A\"" <ada@example.org>`:   `Lind, Ada "A"|ada@example.org`,
		"ada@example.org (Ada Lind)":            "Ada Lind|ada@example.org",
		" <ada@example.org> ":                   "|ada@example.org",
		"ada@example.org":                       "|ada@example.org",
		"A <b> <ada@example.org>":               "A <b>|ada@example.org",
		"Ada\u200b\r\n Lind <ada@example.org>":  "Ada Lind|ada@example.org",
		"ada@example.org (Ada":                  "!",
		"Ada <ada@example.org":                  "!",
		"Ada ada@example.org":                   "!",
		"Ada <>":                                "!",
		"":                                      "!",
		strings.Repeat("é", 150) + " <a@x.org>": strings.Repeat("é", 100) + "|a@x.org",
	} {
		name, address, err := ParseMailbox(text)
		got := name + "|" + address.String()
		if err != nil {
			var wrong *AddressError
			if got = "!"; !errors.As(err, &wrong) {
				t.Errorf("%q: an error of another type: %v", text, err)
			}
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

func FuzzParseMailbox(f *testing.F) {
	for _, seed := range []string{"Ada <ada@example.org>", `"a\\" <a@x.org>`, "a@x.org (b)", "<\u200d@é.org>", " (a@x.org)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, address, err := ParseMailbox(text)
		if err != nil {
			return
		}
		if name != NormalizeName(name) || len(name) > maxName {
			t.Fatalf("%q gives the name %q, which is not normal", text, name)
		}
		if again, err := ParseAddress(address.String()); err != nil || again != address {
			t.Fatalf("%q gives the address %q, which is read as %q, %v", text, address, again, err)
		}
	})
}

// TestEveryTimezoneOfTheMachineIsKnown reads the names of all time zones from the machine's tz database.
func TestEveryTimezoneOfTheMachineIsKnown(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("/usr/share/zoneinfo/tzdata.zi")
	if err != nil {
		t.Skip(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		name := ""
		switch {
		case len(fields) > 2 && fields[0] == "Z":
			name = fields[1]
		case len(fields) == 3 && fields[0] == "L":
			name = fields[2]
		}
		if name == "" || name == "Factory" {
			continue
		}
		if _, err := time.LoadLocation(name); err != nil {
			continue // newer than the database of this program
		}
		n++
		for _, spelling := range []string{name, strings.ToLower(name), strings.ReplaceAll(strings.ToUpper(name), "_", " ")} {
			if got, ok := ParseTimezone(spelling); !ok || got != name {
				t.Errorf("%q is %q, %v; want %s", spelling, got, ok, name)
			}
		}
	}
	if n < 400 {
		t.Errorf("%d time zones only", n)
	}
}
