package subscriber

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSeveralValuesOfACellAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxValueLength)
	numbers := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprint("t", i))
		}
		return strings.Join(out, "|")
	}
	for _, test := range []struct{ name, cell, want string }{
		{"a value of the maximum length", long, "1"},
		{"a longer value", long + "x", "a field has too many or too long values; expected: at most 200 of at most 200 bytes"},
		{"the maximum number", numbers(maxValues), "200"},
		{"one more", numbers(maxValues + 1), "a field has too many or too long values"},
		{"the same again and again", strings.Repeat("t|", 5000), "1"},
		{"separators alone", ",;| ,", "0"},
		{"spaces of all kinds", "\u00A0a\u200B | \tb\u2003", "2"},
		{"a quote that is not closed", `"a, b`, `cannot be parted`},
		{"JSON of other values", `[1, 2]`, "2"},
		{"JSON that ends early", `["a", "b"`, `cannot be parted`},
		{"JSON in JSON", `["[\"a\"]"]`, "1"},
		{"an empty JSON list", `[]`, "0"},
	} {
		parts, fault := splitCell(test.cell)
		got := fmt.Sprint(len(parts))
		if fault != nil {
			got = fault.What + "; expected: " + fault.Expected
			if fault.Reason != "several values not understood" || parts != nil || len(got) > 400 {
				t.Errorf("%s: %d values, %+v", test.name, len(parts), fault)
			}
		}
		if got != test.want && (fault == nil || !strings.Contains(got, test.want)) {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestQuotedFieldsMayHaveLineBreaks(t *testing.T) {
	t.Parallel()
	record := func(breaks int) string {
		return "email,name,status\na@x.org,\"A" + strings.Repeat("\n", breaks) + "b\",unsubscribed\nc@x.org,C,active\n"
	}
	for breaks, want := range map[int]string{
		0: "a:unsubscribed c:active", 1: "a:unsubscribed c:active", 7: "a:unsubscribed c:active",
		8: "2 refused (line not readable) 10 refused (line not readable) c:active",
	} {
		if got := readStates(t, record(breaks), ListOptions{}); got != want {
			t.Errorf("%d line breaks: %s, want %s", breaks, got, want)
		}
	}
}

func TestLimitOfALineIsExact(t *testing.T) {
	t.Parallel()
	line := func(length int) string {
		return "email,notes\na@x.org," + strings.Repeat("x", length-len("a@x.org,")) + "\nb@x.org,\n"
	}
	for length, want := range map[int]string{maxLine - 1: "a: b:", maxLine: "2 refused (line not readable) b:", 1 << 20: "2 refused (line not readable) b:"} {
		if got := readStates(t, line(length), ListOptions{}); got != want {
			t.Errorf("%d bytes: %s, want %s", length, got, want)
		}
	}
	if got := readStates(t, strings.Repeat("x", maxLine+1)+"\na@x.org\n", ListOptions{}); got != "stopped: subscriber list: line 1: it has more than 65536 bytes; expected: one subscriber on each line" {
		t.Error(got)
	}
}

func TestDamagedBytesCostOneLine(t *testing.T) {
	t.Parallel()
	const want = "2 refused (line not readable) b:"
	for name, cell := range map[string]string{"a NUL": "a\x00", "Latin-1": "caf\xE9", "half a character": "\xE2\x82", "an overlong slash": "\xC0\xAF", "a surrogate": "\xED\xA0\x80", "a replacement character": "\uFFFD", "a lone quote": `"a" b`} {
		if got := readStates(t, "email,name\na@x.org,"+cell+"\nb@x.org,Ben\n", ListOptions{}); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, in := range map[string]string{
		"UTF-16 that ends in half a unit": utf16Of("email\na@x.org\n", false, true) + "x",
		"a byte order mark alone":         "\xFF\xFE",
		"zip in the first line":           "PK\x03\x04",
		"four zero bytes":                 "\x00\x00\x00\x00",
		"sep= alone":                      "sep=;\n",
		"quotes alone":                    `"` + strings.Repeat("\n\"", 100),
	} {
		for row, err := range readList(strings.NewReader(in), ListOptions{}) {
			var fault *LineError
			if err != nil && !errors.Is(err, ErrList) && !errors.As(err, &fault) || err == nil && row.Address.String() != "a@x.org" {
				t.Errorf("%s: %+v, %v", name, row, err)
			}
		}
	}
}

func TestDelimiterIsTheMostFrequentOneOutsideQuotes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]byte{
		"email": ',', "email,name": ',', "email;name": ';', "email\tname": '\t', "email|name": '|', "email,topics|more": ',', `"a,b,c";name`: ';', "a;b,c;d": ';', "a;b,c": ',', "": ',',
	} {
		if got := guessDelimiter(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if got := readAll("sep=|\nemail|name\na@x.org|\"A|B\"\n", ListOptions{Delimiter: ';'}); !strings.Contains(got, "no column for the address") {
		t.Errorf("a chosen delimiter gives way to that of the file: %s", got)
	}
}

func TestEncodingIsGuessedAlikeForAnyPieces(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for text, latin := range map[string]bool{
		"plain": false, "": false, "Ren\xE9": true, "René": false, "René and Ren\xE9": false, "a\x00\xE9": false, "\xE9": true, "日本": false, "caf\xC3": true, "\x80 20": true, strings.Repeat("x", 50) + "\xFC": true,
	} {
		for range 20 {
			var guess EncodingGuess
			for rest := []byte(text); len(rest) > 0; {
				n := 1 + random.IntN(len(rest))
				if written, err := guess.Write(rest[:n]); written != n || err != nil {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			if guess.Latin1() != latin {
				t.Errorf("%q is taken for Latin-1: %v", text, guess.Latin1())
			}
		}
	}
}

func TestPreviewShowsColumnsAndFirstValues(t *testing.T) {
	t.Parallel()
	show := func(in string, opts ListOptions) string {
		p, err := PreviewList(strings.NewReader(in), opts)
		if err != nil {
			if !errors.Is(err, ErrList) {
				t.Errorf("%q: %v does not wrap ErrList", in, err)
			}
			return "! " + err.Error()
		}
		var out []string
		for i, c := range p.Columns {
			out = append(out, fmt.Sprintf("%s=%s(%s)", c.Heading, c.Meaning, p.Examples[i]))
		}
		return fmt.Sprint(p.HasHeader, " ", strings.Join(out, " "))
	}
	many := strings.TrimSuffix(strings.Repeat("x,", maxPreviewColumns+1), ",")
	for _, test := range []struct {
		name, in string
		opts     ListOptions
		want     string
	}{
		{"headings", "E-Mail,Name,shoe\na@x.org,,38\nb@x.org,Ben,\n", ListOptions{}, "true E-Mail=email(a@x.org) Name=name(Ben) shoe=ignored(38)"},
		{"a heading that must be decided", "email,opt_status_2\na@x.org,3\n", ListOptions{}, "true email=email(a@x.org) opt_status_2=(3)"},
		{"the same, decided", "email,opt_status_2\na@x.org,3\n", ListOptions{Positions: map[int]Meaning{1: MeansNothing}}, "true email=email(a@x.org) opt_status_2=ignored(3)"},
		{"no address", "name,city\nAda,Bern\n", ListOptions{}, "true name=name(Ada) city=ignored(Bern)"},
		{"no header", "a@x.org,Ada,x\n", ListOptions{}, "false =email(a@x.org) =(Ada) =(x)"},
		{"no header, two columns", "Ada,a@x.org\n", ListOptions{}, "false =name(Ada) =email(a@x.org)"},
		{"a header alone", "email,name\n", ListOptions{}, "true email=email() name=name()"},
		{"lines that cannot be read", "email,name\n\xFF\xFF\na@x.org,\"A\"b\nb@x.org,Ben\n", ListOptions{}, "true email=email(b@x.org) name=name(Ben)"},
		{"a long value", "email,name\na@x.org," + strings.Repeat("ü", 81) + "\n", ListOptions{}, "true email=email(a@x.org) name=name(" + strings.Repeat("ü", 80) + "…)"},
		{"an empty file", "", ListOptions{}, "! subscriber list: the file is empty"},
		{"blank lines", "\n \n\r\n", ListOptions{}, "! subscriber list: the file is empty"},
		{"a spreadsheet", "PK\x03\x04", ListOptions{}, "! subscriber list: line 1: the file is a spreadsheet or archive; save the list as CSV in UTF-8"},
		{"too many columns", many + "\n", ListOptions{}, "! subscriber list: the list has 201 columns; 200 are the most that can be read"},
		{"an unknown choice", "email,a\n", ListOptions{Columns: map[string]Meaning{"b": MeansName}}, `! subscriber list: the list has no column "b"; its columns: "email", "a"`},
	} {
		if got := show(test.in, test.opts); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}
