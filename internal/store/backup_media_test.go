package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// medium returns a medium with random content.
func medium(seed byte, size int) article.Medium {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(data)
	sum := sha256.Sum256(data)
	return article.Medium{Name: hex.EncodeToString(sum[:]) + ".png", Type: "image/png", Data: data, Width: 800, Height: 600}
}

// putWithMedium stores an article that shows a medium.
func putWithMedium(t *testing.T, s *store.Store, slug string, m article.Medium) {
	t.Helper()
	a := article.Article{
		Source: slug + ".md", Slug: slug, Title: slug, HTML: `<p><img src="/media/` + m.Name + `" alt=""></p>`,
		Published: s.Now(), Updated: s.Now(), Status: article.Published,
	}
	if _, err := s.PutArticle(t.Context(), &a, nil, []article.Medium{m}); err != nil {
		t.Fatal(err)
	}
}

func TestMediaAreInTheBackup(t *testing.T) {
	t.Parallel()
	for _, from := range storetest.Engines {
		for _, to := range storetest.Engines {
			t.Run(string(from)+" to "+string(to), func(t *testing.T) {
				t.Parallel()
				dsn := storetest.DSN(t, from)
				s := storetest.Reopen(t, dsn, store.Options{})
				imported, upload, smaller := medium(1, 200_000), medium(2, 0), medium(3, 5000)
				smaller.Width, smaller.Height = 400, 300
				putWithMedium(t, s, "bridge", imported)
				if err := s.PutMedia(t.Context(), []article.Medium{upload}); err != nil {
					t.Fatal(err)
				}
				if err := s.PutCopies(t.Context(), imported, false, []article.Medium{smaller}); err != nil {
					t.Fatal(err)
				}
				file, summary := backUp(t, dsn)
				if summary.Tables["media"] != 3 {
					t.Errorf("the backup has %d media", summary.Tables["media"])
				}
				dsn = emptyDSN(t, to)
				if _, err := store.Restore(t.Context(), dsn, file, store.RestoreOptions{}); err != nil {
					t.Fatal(err)
				}
				s = storetest.Reopen(t, dsn, store.Options{})
				for _, want := range []article.Medium{imported, upload, smaller} {
					if got, err := s.Medium(t.Context(), want.Name); err != nil || !bytes.Equal(got.Data, want.Data) || got.Type != want.Type {
						t.Errorf("medium of %d bytes: %d bytes, %v", len(want.Data), len(got.Data), err)
					}
				}
				pictures, waiting, err := s.Pictures(t.Context(), []string{imported.Name})
				if err != nil || len(waiting) != 0 || len(pictures[imported.Name].Copies) != 1 || pictures[imported.Name].Copies[0].Name != smaller.Name {
					t.Errorf("copies %+v, waiting %v, %v", pictures, waiting, err)
				}
			})
		}
	}
}

// onFirstWrite calls do before the first bytes of an archive are written: after the snapshot of
// the store began, and before most of its tables are read.
type onFirstWrite struct {
	io.Writer
	do func()
}

func (w *onFirstWrite) Write(p []byte) (int, error) {
	if w.do != nil {
		w.do()
		w.do = nil
	}
	return w.Writer.Write(p)
}

func TestBackupDuringImportAndSendIsConsistent(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			const before, meanwhile = 3, 4
			addSubscribers(t, s, "weekly", before+meanwhile)
			approveEdition(t, s, "e1", "a1")
			chunk := claim(t, s, "n1", time.Minute)
			due := dueSubscribers(t, s, chunk, false)
			// work imports an article with its medium, and then sends a mail.
			work := func(n int) {
				putWithMedium(t, s, fmt.Sprint("article-", n), medium(byte(n), 1000))
				recordOutcome(t, s, chunk, due[n], store.Outcome{State: digest.DeliverySent, Code: 250})
			}
			for n := range before {
				work(n)
			}
			path := filepath.Join(t.TempDir(), "backup.tidings")
			if _, err := archive.Create(path, func(w io.Writer) error {
				return store.Backup(t.Context(), dsn, store.Options{}, &onFirstWrite{w, func() {
					for n := before; n < before+meanwhile; n++ {
						work(n)
					}
				}})
			}); err != nil {
				t.Fatal(err)
			}
			if counts, err := s.CountPublished(t.Context()); err != nil || counts != before+meanwhile {
				t.Fatalf("the store has %d articles, %v", counts, err)
			}
			to := emptyDSN(t, engine)
			if _, err := store.Restore(t.Context(), to, path, store.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			var articles, media, sent int
			if err := plainDB(t, to).QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM media),
				(SELECT count(*) FROM deliveries WHERE state = 'sent')`).Scan(&articles, &media, &sent); err != nil {
				t.Fatal(err)
			}
			if articles != before || media != before || sent != before {
				t.Errorf("%d articles, %d media, %d sent mails; want %d of each, as when the backup began", articles, media, sent, before)
			}
		})
	}
}

// mediaMemory bounds the resident memory of a backup and of a restore of mediaSize of media, each
// of 8 MB. A process that held all of it would need mediaSize more.
const (
	mediaSize   = 20 * 8 << 20
	mediaMemory = 250 << 20
)

// TestMediaNeedBoundedMemory backs up and restores media, each in a process of its own.
func TestMediaNeedBoundedMemory(t *testing.T) {
	t.Parallel()
	if work := os.Getenv("TIDINGS_TEST_MEDIA"); work != "" {
		runMediaWork(t, work)
		return
	}
	testkit.Slow(t)
	if testkit.RaceDetector {
		t.Skip("it measures memory, so scripts/run-tests runs it without the race detector")
	}
	folder := t.TempDir()
	s := storetest.Reopen(t, "sqlite:"+filepath.Join(folder, "tidings.db"), store.Options{Durability: store.Normal})
	for n := range mediaSize / (8 << 20) {
		if err := s.PutMedia(t.Context(), []article.Medium{medium(byte(n), 8<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, work := range []string{"backup", "restore"} {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMediaNeedBoundedMemory$")
		child.Env = append(os.Environ(), "TIDINGS_TEST_MEDIA="+work, "TIDINGS_TEST_FOLDER="+folder)
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", work, err, out)
		}
	}
}

// mostMemory returns the most resident memory that this process had. What getrusage returns begins
// with that of the process that started it.
func mostMemory(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("it reads the memory of a process as Linux shows it")
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// runMediaWork is what TestMediaNeedBoundedMemory does in another process.
func runMediaWork(t *testing.T, work string) {
	defer func() {
		if used := mostMemory(t); used > mediaMemory {
			t.Errorf("%s of %d MB of media used %d MB", work, mediaSize>>20, used>>20)
		}
	}()
	folder := os.Getenv("TIDINGS_TEST_FOLDER")
	file := filepath.Join(folder, "backup.tidings")
	if work == "restore" {
		if _, err := store.Restore(t.Context(), "sqlite:"+filepath.Join(folder, "restored.db"), file, store.RestoreOptions{Options: store.Options{Durability: store.Normal}}); err != nil {
			t.Fatal(err)
		}
		return
	}
	if _, err := archive.Create(file, func(w io.Writer) error {
		return store.Backup(t.Context(), "sqlite:"+filepath.Join(folder, "tidings.db"), store.Options{}, w)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTriedRestoreLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			putWithMedium(t, s, "bridge", medium(1, 1000))
			file, _ := backUp(t, dsn)
			if engine == store.SQLite {
				dsn = "sqlite:"
			}
			tried, err := store.TryRestore(t.Context(), dsn, file, store.RestoreOptions{})
			if err != nil || tried.Tables["articles"] != 1 {
				t.Fatalf("%+v, %v", tried, err)
			}
			if engine == store.Postgres {
				var left int
				if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tidings_check%'").Scan(&left); err != nil || left != 0 {
					t.Errorf("%d schemas are left, %v", left, err)
				}
			}
			if n, err := s.CountPublished(t.Context()); err != nil || n != 1 {
				t.Errorf("the store has %d articles, %v", n, err)
			}
		})
	}
}
