package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"filippo.io/age"
)

// writeSmall writes the small archive, as Create asks for it.
func writeSmall(t testing.TB) func(io.Writer) error {
	return func(w io.Writer) error { small(t, w); return nil }
}

// onlyFiles fails unless a folder has these files and no others.
func onlyFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	must(t, err)
	var got []string
	for _, file := range files {
		got = append(got, file.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the folder has the files %q, want %q", got, want)
	}
}

func TestFailedBackupLeavesNoFile(t *testing.T) {
	t.Parallel()
	private, err := age.GenerateX25519Identity()
	must(t, err)
	full := errors.New("no space left on the device")
	for name, c := range map[string]struct {
		write func(io.Writer) error
		want  string
	}{
		"writing fails at once":    {func(io.Writer) error { return full }, full.Error()},
		"writing fails at the end": {func(w io.Writer) error { small(t, w); return full }, full.Error()},
		"nothing is written":       {func(io.Writer) error { return nil }, "what was written cannot be read back"},
		"something else":           {func(w io.Writer) error { _, err := w.Write([]byte("{}\n")); return err }, "what was written cannot be read back"},
		"more than an archive":     {func(w io.Writer) error { small(t, w); small(t, w); return nil }, "what was written cannot be read back"},
		"half of an archive": {func(w io.Writer) error {
			var whole bytes.Buffer
			small(t, &whole)
			_, err := w.Write(whole.Bytes()[:whole.Len()/2])
			return err
		}, "what was written cannot be read back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, recipients := range [][]Recipient{nil, {private.Recipient()}} {
				folder := t.TempDir()
				_, err := Create(filepath.Join(folder, "a.tidings"), c.write, recipients...)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%d recipients: %v, want %q", len(recipients), err, c.want)
				}
				onlyFiles(t, folder)
			}
		})
	}
}

func TestBackupIsNeverWrittenOver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.tidings")
	must(t, os.WriteFile(path, []byte("the only copy"), 0o600))
	must(t, os.Symlink(filepath.Join(folder, "nowhere"), filepath.Join(folder, "b.tidings")))
	must(t, os.Mkdir(filepath.Join(folder, "c.tidings"), 0o700))
	for _, name := range []string{"a.tidings", "b.tidings", "c.tidings"} {
		called := false
		_, err := Create(filepath.Join(folder, name), func(w io.Writer) error { called = true; small(t, w); return nil })
		if !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), name) || called {
			t.Errorf("%s: %v, written %v", name, err, called)
		}
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "the only copy" {
		t.Errorf("the file is now %q, %v", data, err)
	}
	// A file that appears while the backup is written is kept as well.
	late := filepath.Join(folder, "d.tidings")
	_, err := Create(late, func(w io.Writer) error {
		small(t, w)
		return os.WriteFile(late, []byte("of another process"), 0o600)
	})
	if data, readErr := os.ReadFile(late); !errors.Is(err, ErrExists) || string(data) != "of another process" {
		t.Errorf("%v; the file is now %.40q, %v", err, data, readErr)
	}
	onlyFiles(t, folder, "a.tidings", "b.tidings", "c.tidings", "d.tidings")
}

func TestOneOfSeveralBackupsGetsTheName(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "a.tidings")
	var wg sync.WaitGroup
	var created atomic.Int64
	for range 8 {
		wg.Go(func() {
			switch _, err := Create(path, writeSmall(t)); {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, ErrExists):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if summary, err := Check(path); created.Load() != 1 || err != nil || summary.Rows != 2 {
		t.Errorf("%d were created; %+v, %v", created.Load(), summary, err)
	}
	onlyFiles(t, folder, "a.tidings")
}

func TestBackupIsReadableByItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.tidings")
	summary, err := Create(path, writeSmall(t))
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if summary.Rows != 2 || summary.Encrypted || summary.Header.Engine != "sqlite" || !summary.Header.Sealed {
		t.Errorf("%+v", summary)
	}
}

func TestErrorsOfFilesNameThem(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	damaged := filepath.Join(folder, "damaged.tidings")
	must(t, os.WriteFile(damaged, []byte("not a backup"), 0o600))
	for name, err := range map[string]error{
		damaged:                         second(Check(damaged)),
		filepath.Join(folder, "none"):   second(Check(filepath.Join(folder, "none"))),
		filepath.Join(folder, "no", ""): second(Create(filepath.Join(folder, "no", "a.tidings"), writeSmall(t))),
		filepath.Join(folder, "sync"):   SyncFolder(filepath.Join(folder, "sync")),
		filepath.Join(folder, "key"):    second(LoadIdentities(filepath.Join(folder, "key"))),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
	if err := second(Check(damaged)); !errors.Is(err, ErrFormat) {
		t.Errorf("%v", err)
	}
	if err := second(Check(filepath.Join(folder, "none"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	must(t, SyncFolder(folder))
}

func second[V any](_ V, err error) error { return err }

func TestKeysAreReadAsPeopleSaveThem(t *testing.T) {
	t.Parallel()
	private, err := age.GenerateX25519Identity()
	must(t, err)
	another, err := age.GenerateX25519Identity()
	must(t, err)
	secret, public := private.String(), private.Recipient().String()
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, private.Recipient())
	must(t, err)
	small(t, w)
	must(t, w.Close())
	for name, c := range map[string]struct {
		content string
		want    string // of the error; empty if the key opens the archive
	}{
		"alone":                {secret, ""},
		"with comments":        {"# created: 2026-03-01\n\n# public key: " + public + "\n" + secret + "\n\n", ""},
		"line ends of Windows": {"# public key: " + public + "\r\n" + secret + "\r\n", ""},
		"several":              {another.String() + "\n" + secret + "\n", ""},
		"another one":          {another.String() + "\n", "none of these keys opens it"},
		"empty":                {"", "contains no private key of age"},
		"comments only":        {"# nothing\n", "contains no private key of age"},
		"a public key":         {public + "\n", "contains no private key of age"},
		"cut off":              {secret[:len(secret)-2], "contains no private key of age"},
		"with a wrong letter":  {secret[:len(secret)-1] + string('A'+'Z'-secret[len(secret)-1]), "contains no private key of age"},
		"another kind of key":  {"-----BEGIN OPENSSH PRIVATE KEY-----\n", "contains no private key of age"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			must(t, os.WriteFile(path, []byte(c.content), 0o600))
			keys, err := LoadIdentities(path)
			if err == nil {
				_, err = Verify(bytes.NewReader(sealed.Bytes()), keys...)
			} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "tidings backup keygen") {
				t.Errorf("the error does not say where and how to fix it: %v", err)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), secret[20:40]) {
				t.Errorf("the error shows a part of the key: %v", err)
			}
		})
	}
}

func TestRecipientsAreCheckedBeforeTheBackup(t *testing.T) {
	t.Parallel()
	private, err := age.GenerateX25519Identity()
	must(t, err)
	hybrid, err := age.GenerateHybridIdentity()
	must(t, err)
	public := private.Recipient().String()
	for name, c := range map[string]struct {
		keys []string
		n    int
		want string
	}{
		"none":                        {nil, 0, ""},
		"one":                         {[]string{public}, 1, ""},
		"with spaces":                 {[]string{"  " + public + "\n"}, 1, ""},
		"twice":                       {[]string{public, public}, 2, ""},
		"two in one":                  {[]string{public + "\n" + public}, 0, "is not a public key of age"},
		"a comment":                   {[]string{"# " + public}, 0, "is not a public key of age"},
		"a private key":               {[]string{private.String()}, 0, "this is a private key"},
		"a private key, small":        {[]string{strings.ToLower(private.String())}, 0, "this is a private key"},
		"a private key of the hybrid": {[]string{" " + hybrid.String()}, 0, "this is a private key"},
		"an SSH key":                  {[]string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG"}, 0, "it begins with age1"},
		"a very long text":            {[]string{strings.Repeat("x", 5000)}, 0, "is not a public key of age"},
		"kinds that do not mix":       {[]string{hybrid.Recipient().String(), public}, 0, "cannot be used together"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseRecipients(c.keys)
			if len(got) != c.n || (c.want == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), c.want) || len(err.Error()) > 300) {
				t.Errorf("%d recipients, %.300v; want %d and %q", len(got), err, c.n, c.want)
			}
			for _, secret := range []string{private.String(), hybrid.String()} {
				if err != nil && strings.Contains(strings.ToUpper(err.Error()), secret[20:40]) {
					t.Errorf("the error shows a part of the private key: %v", err)
				}
			}
		})
	}
}
