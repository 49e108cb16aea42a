package subscriber

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"
)

// readList opens a list and returns its rows. An error in the header is the only element.
func readList(r io.Reader, opts ListOptions) iter.Seq2[Row, error] {
	list, err := OpenList(r, opts)
	if err != nil {
		return func(yield func(Row, error) bool) { yield(Row{}, err) }
	}
	return list.Rows()
}

// readAll reads a list and returns one line per row or error.
func readAll(in string, opts ListOptions) string {
	var out strings.Builder
	for row, err := range readList(strings.NewReader(in), opts) {
		if err != nil {
			fmt.Fprintln(&out, "!", err)
			continue
		}
		fmt.Fprintf(&out, "%d %s [%s] %s%s%s\n", row.Line, row.Address, row.Name, row.Language, row.State, strings.Join(append(row.Topics, row.Digests...), "+"))
	}
	return out.String()
}

func TestListFormatsAreRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"addresses alone", "ada@example.org\n\n  \nbob@example.org", "1 ada@example.org [] \n4 bob@example.org [] \n"},
		{"no header, name second", "ada@example.org,Ada L.\r\nbob@example.org\r\n", "1 ada@example.org [Ada L.] \n2 bob@example.org [] \n"},
		{"no header, name first", "Ada,ada@example.org\n", "1 ada@example.org [Ada] \n"},
		{"mark, semicolons, French header", "\xEF\xBB\xBFPrénom;Nom;Courriel;Langue\nAda;Lovelace;ada@example.org;fr\n", "2 ada@example.org [Ada Lovelace] fr\n"},
		{"tabs", "E-Mail\tTopics\nada@example.org\tgo|web, css\n", "2 ada@example.org [] go+web+css\n"},
		{"quotes", "email,name\nada@example.org,\"Lovelace, \"\"Ada\"\"\"\n", "2 ada@example.org [Lovelace, \"Ada\"] \n"},
		{"a field over two lines", "email,name\nada@example.org,\"Ada\nLovelace\"\nbob@example.org,Bob\n", "2 ada@example.org [Ada Lovelace] \n4 bob@example.org [Bob] \n"},
		{"a mailbox in the column", "email\n\"Ada <ada@example.org>\"\n", "2 ada@example.org [Ada] \n"},
		{"state", "email,status\nada@example.org,Unsubscribed\nbob@example.org,fine\n", "2 ada@example.org [] unsubscribed\n! line 3: column \"status\" holds \"fine\", which is not understood; expected: active, unsubscribed, bounced or another word for a state; or leave the column out by its name\n"},
		{"unknown columns are passed over", "id,email,shoe size\n1,ada@example.org,38\n", "2 ada@example.org [] \n"},
		{"a bad line does not stop the rest", "email\nada\nbob@example.org\n", "! line 2: address \"ada\": it has no @; expected: something like ada@example.org\n3 bob@example.org [] \n"},
		{"no address in the line", "email,name\n,Ada\n", "! line 2: it has no address; expected: one address on each line\n"},
		{"a stray quote costs one line", "email,name\nada@example.org,\"Ada\n" + strings.Repeat("bob@example.org,Bob\n", 9), "! line 2: a quote is opened and never closed; expected: a quote at both ends of the field, and \"\" for a quote inside\n" + numberedAddresses(3, 11)},
		{"text after a quote", "email,name\nada@example.org,\"Ada\"x\n", "! line 2: text follows on a closing quote; expected: \"\" for a quote inside a field\n"},
		{"Latin-1 is detected", "email,name\nada@example.org,Ren\xE9\nbob@example.org,Bob\n", "! line 2: it is not UTF-8; it looks like Latin-1; expected: the same list saved as UTF-8, or the import told that it is Latin-1 (--latin1)\n3 bob@example.org [Bob] \n"},
		{"UTF-32 is refused", "\xFF\xFE\x00\x00e\x00\x00\x00", "! subscriber list: line 1: the file is UTF-32; save the list as CSV in UTF-8\n"},
		{"a spreadsheet is refused", "PK\x03\x04\x14\x00", "! subscriber list: line 1: the file is a spreadsheet or archive; save the list as CSV in UTF-8\n"},
		{"no column for addresses", "name,city\nAda,London\n", "! subscriber list: line 1: no column for the address; name it email, or say which one it is\n"},
		{"a long line", "email\n" + strings.Repeat("x", 200_000) + "\nbob@example.org", "! line 2: it has more than 65536 bytes; expected: one subscriber on each line\n3 bob@example.org [] \n"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := readAll(test.in, ListOptions{}); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

func numberedAddresses(from, to int) string {
	var out strings.Builder
	for line := from; line <= to; line++ {
		fmt.Fprintf(&out, "%d bob@example.org [Bob] \n", line)
	}
	return out.String()
}

func TestLatin1OptionDecodesList(t *testing.T) {
	t.Parallel()
	if got := readAll("email,name\nada@example.org,Ren\xE9\n", ListOptions{Latin1: true}); got != "2 ada@example.org [René] \n" {
		t.Error(got)
	}
}

func TestDelimiterOptionIsUsed(t *testing.T) {
	t.Parallel()
	if got := readAll("email;name\nada@example.org;\"A, B; C\"\n", ListOptions{Delimiter: ';'}); got != "2 ada@example.org [A, B; C] \n" {
		t.Error(got)
	}
}

func TestReadErrorEndsList(t *testing.T) {
	t.Parallel()
	broken := errors.New("read failed")
	in := io.MultiReader(strings.NewReader("ada@example.org\n"), &failing{broken})
	var last error
	rows := 0
	for _, err := range readList(in, ListOptions{}) {
		if last = err; err == nil {
			rows++
		}
	}
	if rows != 1 || !errors.Is(last, broken) || !errors.Is(last, ErrList) {
		t.Errorf("%d rows, then %v", rows, last)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestExportedListIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	want := []Subscriber{
		{Address: MustParseAddress("=cmd@example.org"), Name: `=HYPERLINK("http://evil","x")`, State: Active},
		{Address: MustParseAddress("+a@bücher.example"), Name: "'=x", State: Unsubscribed, Language: "pt-BR", MailLanguage: "pt-PT", Timezone: "Europe/Berlin"},
		{Address: MustParseAddress(`"a, b"@example.org`), Name: `Lovelace, "Ada"`, State: Active, Consent: Consent{Text: "yes", At: at}},
		{Address: MustParseAddress("o'hara@example.org"), Name: "'s Gravenhage", State: Pending},
	}
	var file bytes.Buffer
	w, err := NewListWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range want {
		if err := w.Write(s, []Subscription{{Digest: "weekly", Topics: []string{"go", "web"}}, {Digest: "daily", Topics: []string{"go", "web"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(file.String(), ",=") || strings.Contains(file.String(), "\n=") || strings.Contains(file.String(), "\n+") {
		t.Errorf("a spreadsheet would run this:\n%s", file.String())
	}
	i := 0
	for row, err := range readList(&file, ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		s := want[i]
		if row.Address != s.Address || row.Name != s.Name || row.State != s.State || row.Language != s.Language || row.MailLanguage != s.MailLanguage || row.Timezone != s.Timezone || row.Consent != s.Consent {
			t.Errorf("%+v comes back as %+v", s, row)
		}
		if fmt.Sprint(row.Digests, row.Topics) != "[weekly daily] [go web]" {
			t.Errorf("subscriptions come back as %v %v", row.Digests, row.Topics)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d of %d came back", i, len(want))
	}
}

// longList is a reader that generates a list of many lines without holding it in memory.
type longList struct {
	left, at int
	rest     []byte
}

func (m *longList) Read(p []byte) (int, error) {
	for len(m.rest) < len(p) && m.left > 0 {
		m.rest = fmt.Appendf(m.rest, "reader%d@example.org,Reader Number %d\n", m.at, m.at)
		m.at++
		m.left--
	}
	if len(m.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.rest)
	m.rest = append(m.rest[:0], m.rest[n:]...)
	return n, nil
}

func TestMemoryDoesNotGrowWithList(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows, peak := 0, uint64(0)
	for _, err := range readList(&longList{left: 300_000}, ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rows++; rows%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapAlloc)
		}
	}
	if rows != 300_000 || peak > before.HeapAlloc+4<<20 {
		t.Errorf("%d rows; the heap went from %d to %d bytes", rows, before.HeapAlloc, peak)
	}
}

func BenchmarkReadList(b *testing.B) {
	b.ReportAllocs()
	rows := 0
	for _, err := range readList(&longList{left: b.N}, ListOptions{}) {
		if err != nil {
			b.Fatal(err)
		}
		rows++
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "lines/s")
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("email,name\nada@example.org,\"A\nB\"\n"), false)
	f.Add([]byte("\xEF\xBB\xBFa@b.co;\"x\"\"\n\"\n"), true)
	f.Add([]byte("email\tconsented at\na@b.co\t2026-01-01\n"), false)
	f.Fuzz(func(t *testing.T, data []byte, latin1 bool) {
		lines := len(data) + 1 // a byte of UTF-16 may be half a line end
		last := 0
		for row, err := range readList(bytes.NewReader(data), ListOptions{Latin1: latin1}) {
			var line *LineError
			switch {
			case errors.As(err, &line):
				row.Line = line.Line
			case err != nil:
				return
			case row.Address.IsZero() || strings.ContainsAny(row.Name, "\r\n\x00"):
				t.Fatalf("%+v", row)
			}
			if row.Line < last || row.Line > lines {
				t.Fatalf("line %d after %d of %d", row.Line, last, lines)
			}
			last = row.Line
		}
	})
}
