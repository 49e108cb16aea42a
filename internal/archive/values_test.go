package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// randomValue returns a value of any kind that an archive takes, with the borders of its kind among them.
func randomValue(random *rand.Rand) any {
	bytesOf := func() []byte {
		out := make([]byte, random.IntN(40))
		for i := range out {
			out[i] = byte(random.IntN(256))
		}
		return out
	}
	switch random.IntN(7) {
	case 0:
		return []int64{0, 1, -1, math.MinInt64, math.MaxInt64, random.Int64() - random.Int64()}[random.IntN(6)]
	case 1:
		return []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1, random.NormFloat64()}[random.IntN(8)]
	case 2:
		return random.IntN(2) == 0
	case 3:
		return nil
	case 4:
		return bytesOf()
	case 5:
		return string(bytesOf()) // rarely UTF-8
	}
	letters := []rune("a\"\\\x00\x1f\n\r\t\x7f}]{[,:é\u2028\ufeff\ufffd😀日")
	var out strings.Builder
	for range random.IntN(20) {
		out.WriteRune(letters[random.IntN(len(letters))])
	}
	return out.String()
}

func TestAnyRowIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 3))
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{})
	must(t, err)
	columns := []string{"a", "b", "c", "d", "e"}
	must(t, w.Begin(Table{Name: "t", Columns: columns}))
	var want [][]any
	var tally Tally
	for range 2000 {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = randomValue(random)
		}
		want = append(want, row)
		must(t, w.Row(row))
		must(t, tally.Add(row))
	}
	must(t, errors.Join(w.End(0), w.Close()))

	r, err := NewReader(&out)
	must(t, err)
	_, err = r.Next()
	must(t, err)
	var memory []any
	for i, row := range want {
		got, err := r.Row(memory)
		must(t, err)
		if !reflect.DeepEqual(got, row) {
			t.Fatalf("row %d is read as %#v, want %#v", i, got, row)
		}
		for j := range row { // DeepEqual takes both zeros for the same
			if f, ok := row[j].(float64); ok && math.Signbit(f) != math.Signbit(got[j].(float64)) {
				t.Fatalf("row %d has lost a sign: %v", i, got[j])
			}
		}
		memory = got
	}
	if row, err := r.Row(memory); row != nil || err != nil {
		t.Fatalf("after the last row: %v, %v", row, err)
	}
	if got := r.Tally(); got.Rows != tally.Rows || got.Sum() != tally.Sum() || r.Total() != 2000 {
		t.Errorf("the tally is %d %s, want %d %s; total %d", got.Rows, got.Sum(), tally.Rows, tally.Sum(), r.Total())
	}
}

func TestNotANumberIsKept(t *testing.T) {
	t.Parallel()
	line, err := appendRow(nil, []any{math.NaN()})
	must(t, err)
	values, err := parseRow(line, nil)
	if err != nil || len(values) != 1 || !math.IsNaN(values[0].(float64)) {
		t.Errorf("%s is read as %v, %v", line, values, err)
	}
}

// TestLinesAreJSON: other programs can read a backup with gzip and any reader of JSON.
func TestLinesAreJSON(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 5))
	for range 2000 {
		value := randomValue(random)
		line, err := appendRow(nil, []any{value, value})
		must(t, err)
		var got []any
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&got); err != nil || len(got) != 2 || bytes.IndexByte(line, '\n') >= 0 {
			t.Fatalf("%#v is written as %q: %v", value, line, err)
		}
		switch v := value.(type) {
		case int64:
			if got[0] != json.Number(fmt.Sprint(v)) {
				t.Fatalf("%d is written as %s", v, line)
			}
		case string:
			if text, ok := got[0].(string); ok && text != v {
				t.Fatalf("%q is written as %s, which is %q in JSON", v, line, text)
			}
		}
	}
}

func TestDamagedRowsAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []string{
		"", "1,2]", "[1,2", "[1,2]]", "[1,2] ", "[1 ,2]", "[ 1,2]", "[1,2]x", "[,1]", "[1,,2]", "[-,1]", "[+1,2]", "[1.5,2]", "[1e3,2]", "[99999999999999999999,1]",
		`["a,2]`, `["a\]`, `["a\`, `["\x",1]`, `["\u12",1]`, `[nul,1]`, `[truex]`, `[NULL]`, `[undefined]`, "[[1],2]",
		`[{},1]`, `[{"b":1},2]`, `[{"b":"?"},2]`, `[{"b":"QQ"},2]`, `[{"f":"x"},1]`, `[{"f":""},1]`, `[{"b":"QQ==","c":"QQ=="}]`, `[{"b":"QQ=="`, `[{"bb":"Q"},1]`, `[{"f":"1"`, `[{`,
	} {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			if len(row) > 0 && row[0] == '[' {
				if values, err := parseRow([]byte(row), nil); err == nil {
					t.Errorf("is read as %#v", values)
				}
			}
			plain := `{"tidings":"backup","format":1}` + "\n" + `{"table":"t","columns":["a","b"]}` + "\n" + row + "\n" + `{"end":"t","rows":1}` + "\n"
			if _, err := Verify(packed(t, plain)); !errors.Is(err, ErrFormat) {
				t.Errorf("an archive with it: %v", err)
			}
		})
	}
}

// packed returns text in a gzip stream.
func packed(t testing.TB, text string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, err := zip.Write([]byte(text))
	must(t, errors.Join(err, zip.Close()))
	return &out
}

func TestErrorsSayWhichLineIsWrong(t *testing.T) {
	t.Parallel()
	const head = `{"tidings":"backup","format":1}` + "\n"
	const table = `{"table":"people","columns":["a","b"]}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"no line":                   {"", "it is cut off after line 0"},
		"another JSON":              {`{"version":"1"}` + "\n", "not an archive that tidings backup wrote"},
		"an array":                  {"[]\n", "not an archive that tidings backup wrote"},
		"a newer format":            {`{"tidings":"backup","format":9}` + "\n", "its format is version 9, this program reads versions up to 1; use a newer tidings"},
		"only the header":           {head, "it ends after line 1"},
		"a table without a name":    {head + `{"table":"","columns":["a"]}` + "\n", "line 2 does not begin a table"},
		"a table without columns":   {head + `{"table":"people"}` + "\n", "line 2 does not begin a table"},
		"a broken table":            {head + `{"table":5}` + "\n", "line 2 does not begin a table"},
		"neither table nor end":     {head + "[1]\n", "line 2 is neither a table nor the end"},
		"too few values":            {head + table + "[1]\n", "line 3 is not a row of the table people"},
		"too many values":           {head + table + "[1,2,3]\n", "line 3 is not a row of the table people"},
		"ends in a table":           {head + table + "[1,2]\n", "it ends in the table people, after line 3"},
		"cut off in a row":          {head + table + "[1,2]\n[3,", "it is cut off in the table people, after line 3"},
		"the end of another table":  {head + table + `{"end":"posts","rows":0}` + "\n", "the table people does not end as it should, at line 3"},
		"a wrong count":             {head + table + "[1,2]\n" + `{"end":"people","rows":2}` + "\n", "the table people does not end as it should, at line 4"},
		"a wrong sum":               {head + table + "[1,2]\n" + `{"end":"people","rows":1,"sum":"00"}` + "\n", "the checksum of the table people does not fit: its rows were changed or damaged"},
		"a wrong sum of everything": {head + table + `{"end":"people","rows":0}` + "\n" + `{"tables":1,"rows":0,"sha256":"00"}` + "\n", "the checksum does not fit: it was changed or damaged"},
		"no checksum":               {head + `{"tables":0,"rows":0}` + "\n", "line 2 is neither a table nor the end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Verify(packed(t, c.text)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestUnknownTypesAreNotWritten(t *testing.T) {
	t.Parallel()
	w, err := NewWriter(io.Discard, Header{})
	must(t, err)
	must(t, w.Begin(Table{Name: "people", Columns: []string{"a"}}))
	must(t, w.Row([]any{int64(1)}))
	var tally Tally
	for _, value := range []any{1, uint8(1), float32(1), time.Time{}, []string{"a"}, struct{}{}} {
		if err := w.Row([]any{value}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("table people, row 2: a value of the type %T has no place in an archive", value)) {
			t.Errorf("%T: %v", value, err)
		}
		if err := tally.Add([]any{value}); err == nil || tally.Rows != 0 {
			t.Errorf("%T: %v, %d rows", value, err, tally.Rows)
		}
	}
}

// brokenPipe is a writer that fails after some bytes.
type brokenPipe struct{ left int }

var errPipe = errors.New("broken pipe")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestErrorOfTheWriterIsReported(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	small(t, &whole)
	for left := 0; left < whole.Len(); left += 9 {
		w, err := NewWriter(&brokenPipe{left}, Header{Engine: "sqlite", Taken: time.Unix(1, 0).UTC(), Migrations: []string{"00001_a"}})
		if err == nil {
			err = errors.Join(w.Begin(Table{Name: "first", Columns: []string{"a", "b"}}), w.Row([]any{int64(1), "plain"}), w.Row([]any{int64(2), []byte("bytes")}), w.End(2), w.Close())
		}
		if !errors.Is(err, errPipe) {
			t.Fatalf("the disk was full after %d of %d bytes: %v", left, whole.Len(), err)
		}
	}
}

// slowReader returns one byte at a time, as a network may.
type slowReader struct{ from io.Reader }

func (s slowReader) Read(p []byte) (int, error) { return s.from.Read(p[:min(1, len(p))]) }

// failingReader fails in place of the end.
type failingReader struct{ from io.Reader }

func (f failingReader) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if errors.Is(err, io.EOF) {
		err = errPipe
	}
	return n, err
}

func TestArchiveIsReadFromAnyReader(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	secret, key, _ := encrypted(t)
	for name, content := range map[string][]byte{"plain": data, "encrypted": secret} {
		want, err := Verify(bytes.NewReader(content), key)
		must(t, err)
		if got, err := Verify(slowReader{bytes.NewReader(content)}, key); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, byte by byte: %+v, %v; want %+v", name, got, err, want)
		}
		for _, n := range []int{0, 1, len(content) / 2, len(content) - 1} {
			if _, err := Verify(failingReader{bytes.NewReader(content[:n])}, key); err == nil {
				t.Errorf("%s: a reader that fails after %d bytes is no error", name, n)
			}
		}
	}
}

// TestGzipReadsAnArchive: the seal is a member of the stream that other programs skip.
func TestGzipReadsAnArchive(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("gzip")
	if err != nil {
		t.Skip("there is no gzip")
	}
	data, _ := sample(t)
	command := exec.Command(program, "-dc")
	command.Stdin = bytes.NewReader(data)
	plain, err := command.Output()
	must(t, err)
	if lines := strings.Count(string(plain), "\n"); !bytes.HasPrefix(plain, []byte(`{"tidings":"backup","format":1,`)) || lines != 18 {
		t.Errorf("%d lines, beginning with %.60q", lines, plain)
	}
}

// TestSealOfAnotherArchiveIsRefused: the seals of two archives are exchanged.
func TestSealOfAnotherArchiveIsRefused(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	var other bytes.Buffer
	small(t, &other)
	mixed := append(bytes.Clone(data[:len(data)-sealSize]), other.Bytes()[other.Len()-sealSize:]...)
	if _, err := Verify(bytes.NewReader(mixed)); !errors.Is(err, ErrFormat) {
		t.Errorf("%v", err)
	}
	if _, err := Verify(bytes.NewReader(data[:len(data)-sealSize])); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "its seal is missing or does not fit") {
		t.Errorf("without its seal: %v", err)
	}
	twice := append(bytes.Clone(data), data[len(data)-sealSize:]...)
	if _, err := Verify(bytes.NewReader(twice)); !errors.Is(err, ErrFormat) {
		t.Errorf("with its seal twice: %v", err)
	}
}

func TestTallyCarriesIntoEveryWord(t *testing.T) {
	t.Parallel()
	var one, other Tally
	for i := range 1000 { // the sum overflows 256 bits many times
		must(t, one.Add([]any{int64(i)}))
		must(t, other.Add([]any{int64(999 - i)}))
	}
	if one.Sum() != other.Sum() || one.Rows != 1000 || len(one.Sum()) != 64 {
		t.Errorf("%s and %s", one.Sum(), other.Sum())
	}
	must(t, other.Add([]any{int64(0)}))
	if one.Sum() == other.Sum() {
		t.Error("a row that was added twice does not change the sum")
	}
}

func FuzzRow(f *testing.F) {
	for _, seed := range []string{`[1,"a",null,true,{"b":"QQ=="},{"t":"/w=="},{"f":"0x1p+00"}]`, `["\u0001\"\\",-1]`, "[]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) == 0 || line[0] != '[' {
			return
		}
		values, err := parseRow(line, nil)
		if err != nil {
			return
		}
		again, err := appendRow(nil, values)
		if err != nil {
			t.Fatalf("%q is read as %#v, which cannot be written: %v", line, values, err)
		}
		if same, err := parseRow(again, nil); err != nil || fmt.Sprintf("%#v", same) != fmt.Sprintf("%#v", values) {
			t.Fatalf("%q is read as %#v, and written and read again as %#v, %v", line, values, same, err)
		}
	})
}
