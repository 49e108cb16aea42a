package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// small is an archive of a few hundred bytes.
func small(t testing.TB, w io.Writer) {
	t.Helper()
	out, err := NewWriter(w, Header{Engine: "sqlite", Taken: time.Unix(1, 0).UTC(), Migrations: []string{"00001_a"}})
	must(t, err)
	must(t, out.Begin(Table{Name: "first", Columns: []string{"a", "b"}}))
	must(t, out.Row([]any{int64(1), "plain"}))
	must(t, out.Row([]any{int64(2), []byte("bytes")}))
	must(t, out.End(2))
	must(t, out.Close())
}

// encrypted is small, encrypted to a new key.
func encrypted(t testing.TB) (data []byte, key Identity, public string) {
	t.Helper()
	private, err := age.GenerateX25519Identity()
	must(t, err)
	recipients, err := ParseRecipients([]string{private.Recipient().String()})
	must(t, err)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	must(t, err)
	small(t, w)
	must(t, w.Close())
	return out.Bytes(), private, private.Recipient().String()
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	var plain bytes.Buffer
	small(t, &plain)
	secret, key, _ := encrypted(t)
	for name, data := range map[string][]byte{"plain": plain.Bytes(), "encrypted": secret} {
		if summary, err := Verify(bytes.NewReader(data), key); err != nil || summary.Encrypted != (name == "encrypted") {
			t.Fatalf("%s: %+v, %v", name, summary, err)
		}
		for i := range data {
			for bit := range 8 {
				if testing.Short() && bit != i%8 {
					continue
				}
				damaged := bytes.Clone(data)
				damaged[i] ^= 1 << bit
				if _, err := Verify(bytes.NewReader(damaged), key); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrKey) {
					t.Errorf("%s: bit %d of byte %d of %d: %v", name, bit, i, len(data), err)
				}
			}
		}
	}
}

func TestEveryTruncationIsFound(t *testing.T) {
	t.Parallel()
	var plain bytes.Buffer
	small(t, &plain)
	secret, key, _ := encrypted(t)
	for name, data := range map[string][]byte{"plain": plain.Bytes(), "encrypted": secret} {
		for n := range data {
			if _, err := Verify(bytes.NewReader(data[:n]), key); !errors.Is(err, ErrFormat) {
				t.Errorf("%s: the first %d of %d bytes: %v", name, n, len(data), err)
			}
		}
		if _, err := Verify(bytes.NewReader(append(bytes.Clone(data), 0)), key); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: one byte more: %v", name, err)
		}
	}
}

func TestDamagedTableIsNamed(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	if _, err := Verify(bytes.NewReader(repack(t, data, `"plain"`, `"plaim"`))); err == nil || !strings.Contains(err.Error(), "the checksum of the table first does not fit") {
		t.Errorf("a changed row: %v", err)
	}
	if _, err := Verify(bytes.NewReader(data[:len(data)/2])); err == nil || !strings.Contains(err.Error(), "cut off in the table second") {
		t.Errorf("half of the file: %v", err)
	}
}

// TestArchiveWithoutSealIsRead reads an archive as earlier versions wrote it.
func TestArchiveWithoutSealIsRead(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "format-1.tidings"))
	must(t, err)
	summary, err := Verify(bytes.NewReader(data))
	if err != nil || summary.Rows != 10 || summary.Header.Sealed {
		t.Errorf("%+v, %v", summary, err)
	}
}

func TestWrongKeysAreNamed(t *testing.T) {
	t.Parallel()
	data, _, public := encrypted(t)
	other, err := age.GenerateX25519Identity()
	must(t, err)
	for name, keys := range map[string][]Identity{"pass --identity": nil, "none of these keys opens it": {other}} {
		name = strings.TrimPrefix(name, "pass ")
		if _, err := Verify(bytes.NewReader(data), keys...); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, keys := range [][]string{{"age1nonsense"}, {public, other.String()}, {""}} {
		if _, err := ParseRecipients(keys); err == nil || strings.Contains(err.Error(), other.String()) {
			t.Errorf("recipients %q: %v", keys, err)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte(public), 0o600))
	if _, err := LoadIdentities(file); err == nil || !strings.Contains(err.Error(), "no private key") {
		t.Errorf("a public key as identity: %v", err)
	}
}

func TestNewKeyOpensWhatIsEncryptedToIt(t *testing.T) {
	t.Parallel()
	private, public, err := NewKey()
	must(t, err)
	folder := t.TempDir()
	file := filepath.Join(folder, "key")
	must(t, os.WriteFile(file, []byte(private), 0o600))
	keys, err := LoadIdentities(file)
	must(t, err)
	hybrid, err := age.GenerateHybridIdentity()
	must(t, err)
	for name, keys := range map[string][]Identity{public: keys, hybrid.Recipient().String(): {hybrid}} {
		recipients, err := ParseRecipients([]string{name})
		must(t, err)
		path := filepath.Join(folder, name[:6])
		if _, err := Create(path, func(w io.Writer) error { small(t, w); return nil }, recipients...); err != nil {
			t.Fatal(err)
		}
		if summary, err := Check(path, keys...); err != nil || !summary.Encrypted || summary.Tables["first"] != 2 {
			t.Errorf("%s: %+v, %v", path, summary, err)
		}
	}
	if _, err := ParseRecipients([]string{public, hybrid.Recipient().String()}); err == nil {
		t.Error("keys of two types were accepted together")
	}
}

func TestTallyIgnoresOrderOnly(t *testing.T) {
	t.Parallel()
	sum := func(rows ...[]any) string {
		var tally Tally
		for _, row := range rows {
			must(t, tally.Add(row))
		}
		return tally.Sum()
	}
	a, b := []any{int64(1), "a"}, []any{int64(2), "b"}
	if sum(a, b) != sum(b, a) || sum(a, b) == sum(a) || sum(a, a) == sum(b, b) || sum(a, a, b) == sum(a, b) || sum() == sum(a) {
		t.Error("the checksum does not tell rows apart, or depends on their order")
	}
}
