package archive

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// sample is an archive with every kind of value.
func sample(t testing.TB) ([]byte, [][]any) {
	t.Helper()
	rows := [][]any{
		{int64(1), "plain", []byte{0, 255}, nil},
		{int64(math.MinInt64), "two\nlines, \"quoted\" \\ and \x01 } ] ,", []byte{}, true},
		{int64(math.MaxInt64), "broken \xff text", []byte("x"), 0.1},
		{int64(0), "", []byte(strings.Repeat("y", 100_000)), false},
		{int64(-7), "ü€😀\u2028", []byte("}"), math.Inf(1)},
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{Engine: "sqlite", Taken: time.Unix(1, 0).UTC(), Migrations: []string{"00001_a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		must(t, w.Begin(Table{Name: name, Columns: []string{"a", "b", "c", "d"}}))
		for _, row := range rows {
			must(t, w.Row(row))
		}
		must(t, w.End(42))
	}
	must(t, w.Begin(Table{Name: "empty", Columns: []string{"a"}}))
	must(t, w.End(0))
	must(t, w.Close())
	return out.Bytes(), rows
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryValueIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	data, rows := sample(t)
	r, err := NewReader(bytes.NewReader(data))
	must(t, err)
	if r.Header.Engine != "sqlite" || r.Header.Migrations[0] != "00001_a" || r.Header.Taken.Unix() != 1 {
		t.Errorf("header %+v", r.Header)
	}
	for range 2 {
		_, err := r.Next()
		must(t, err)
		for _, want := range rows {
			got, err := r.Row(nil)
			must(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %.80v, want %.80v", got, want)
			}
		}
		if row, err := r.Row(nil); row != nil || err != nil || r.Last() != 42 {
			t.Errorf("after the last row: %v, %v, last %d", row, err, r.Last())
		}
	}
	summary, err := Verify(bytes.NewReader(data))
	if err != nil || summary.Rows != 10 || summary.Tables["first"] != 5 || len(summary.Tables) != 3 {
		t.Errorf("summary %+v, %v", summary, err)
	}
}

func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	for name, damaged := range map[string][]byte{
		"empty":       {},
		"other":       []byte("SQLite format 3\x00 and so on"),
		"half":        data[:len(data)/2],
		"last byte":   data[:len(data)-1],
		"changed":     repack(t, data, `"plain"`, `"plaim"`),
		"row missing": repack(t, data, `[1,"plain",{"b":"AP8="},null]`+"\n", ""),
		"no end":      repack(t, data, `{"tables":`, `{"tables!":`),
		"newer":       repack(t, data, `"format":1`, `"format":2`),
		"more":        repack(t, data, "", ""),
	} {
		if name == "more" {
			var extra bytes.Buffer
			zip := gzip.NewWriter(&extra)
			_, _ = zip.Write([]byte("more\n"))
			must(t, zip.Close())
			damaged = append(bytes.Clone(data), extra.Bytes()...)
		}
		if _, err := Verify(bytes.NewReader(damaged)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repack replaces text inside of an archive.
func repack(t testing.TB, data []byte, old, text string) []byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	must(t, err)
	plain, err := io.ReadAll(zip)
	must(t, err)
	var out bytes.Buffer
	packer := gzip.NewWriter(&out)
	_, err = packer.Write(bytes.Replace(plain, []byte(old), []byte(text), 1))
	must(t, errors.Join(err, packer.Close()))
	return out.Bytes()
}

func FuzzReader(f *testing.F) {
	data, _ := sample(f)
	zip, err := gzip.NewReader(bytes.NewReader(data))
	must(f, err)
	plain, err := io.ReadAll(zip)
	must(f, err)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, plain []byte) {
		var out bytes.Buffer
		packer := gzip.NewWriter(&out)
		_, _ = packer.Write(plain)
		_ = packer.Close()
		if _, err := Verify(&out); err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}
