package ingest_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// watched is a stored folder that is watched until the test ends.
type watched struct {
	*storedFolder
	mu      sync.Mutex
	reports []ingest.FileReport
}

func watch(t *testing.T, files map[string]string) *watched {
	t.Helper()
	w := &watched{storedFolder: newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{}))}
	write(t, w.dir, files)
	im := ingest.Importer{Store: w.store, Config: config.Default(), Report: func(r ingest.FileReport) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reports = append(w.reports, r)
	}}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- im.Watch(ctx, []string{w.dir}, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the watch ended with %v", err)
		}
	})
	<-ready
	return w
}

// problem returns the problems that were reported for a file.
func (w *watched) problem(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.reports {
		for _, p := range r.Problems {
			if strings.HasSuffix(r.File, name) {
				out = append(out, p.Error())
			}
		}
	}
	return strings.Join(out, "\n")
}

func (w *watched) has(title string) func() bool {
	return func() bool { return w.ids()[title] != "" }
}

// TestWatchFollowsRenamesAndEdits renames, swaps and edits files of a watched folder.
func TestWatchFollowsRenamesAndEdits(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := watch(t, map[string]string{"a.md": text("A", "2026-03-01", "", tides), "b.md": text("B", "2026-03-02", "", lamps)})
	before := w.ids()

	w.move("a.md", "x.md") // renamed, with a different title and text
	w.write("x.md", text("A, corrected", "2026-03-01", "", "The harbour office printed other tables, and the ferry captain hung them in the wheelhouse all the same."))
	testkit.Eventually(t, "the renamed file is imported", w.has("A, corrected"))
	if after := w.ids(); len(after) != 2 || after["A, corrected"] != before["A"] {
		t.Errorf("renamed and edited: %v were %v", after, before)
	}
	w.checkRedirect("a", "x")

	w.move("x.md", "t.md") // names swapped
	w.move("b.md", "x.md")
	w.move("t.md", "b.md")
	w.write("c.md", text("C", "2026-03-03", "", "Something else."))
	testkit.Eventually(t, "all is imported", w.has("C"))
	after := w.ids()
	if len(after) != 3 || after["A, corrected"] != before["A"] || after["B"] != before["B"] {
		t.Errorf("exchanged: %v were %v", after, before)
	}

	if err := os.Rename(w.dir+"/b.md", filepath.Join(t.TempDir(), "b.md")); err != nil { // moved out of the folder; a new file is added below
		t.Fatal(err)
	}
	w.write("d.md", text("D", "2026-05-01", "", "Nothing that was there before has any of these words."))
	testkit.Eventually(t, "the new file is imported", w.has("D"))
	if after := w.ids(); len(after) != 4 {
		t.Errorf("a new article was taken for one that went: %v", after)
	}
}

// TestBadFilesDoNotEndWatch adds files that cannot be imported to a watched folder. Opening
// some of them, such as pipes, would block.
func TestBadFilesDoNotEndWatch(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := watch(t, map[string]string{"a.md": text("A", "2026-03-01", "", tides)})
	if err := syscall.Mkfifo(filepath.Join(w.dir, "pipe.md"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(w.dir, "socket.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, target := range map[string]string{"link.md": "pipe.md", "device.md": "/dev/zero", "nowhere.md": "nothing", "ring.md": "ring.md"} {
		if err := os.Symlink(target, filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.write("broken.md", "---\ntitle: [x\n")
	w.write("unreadable.md", "---\ntitle: x\n")
	if err := os.Chmod(filepath.Join(w.dir, "unreadable.md"), 0); err != nil {
		t.Fatal(err)
	}
	w.write("z.md", text("Z", "2026-03-02", "", lamps))
	testkit.Eventually(t, "the good file is imported", w.has("Z"))
	for name, want := range map[string]string{"pipe.md": "it is a pipe (FIFO)", "socket.md": "it is a socket", "link.md": "it is a pipe", "broken.md": "never ends"} {
		testkit.Eventually(t, name+" is refused", func() bool { return strings.Contains(w.problem(name), want) })
	}
	w.write("last.md", text("Last", "2026-03-02", "", lamps))
	testkit.Eventually(t, "the watch goes on", w.has("Last"))
	// An import of the whole folder does not stop at them either.
	im := ingest.Importer{Store: w.store, Config: config.Default()}
	if sum, err := im.Import(t.Context(), w.dir); err != nil || sum.Problems == 0 {
		t.Errorf("%s, %v", sum, err)
	}
}

// panicFS panics when a picture is read.
type panicFS struct{ fstest.MapFS }

func (p panicFS) Stat(name string) (fs.FileInfo, error) {
	if strings.HasSuffix(name, ".png") {
		panic("no such luck")
	}
	return p.MapFS.Stat(name)
}

// TestPanicRefusesItsFileOnly imports two files; the import of the first one panics.
func TestPanicRefusesItsFileOnly(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	files := panicFS{fstest.MapFS{
		"a.md": {Data: []byte(text("A", "2026-03-01", "", "![](boom.png)"))},
		"b.md": {Data: []byte(text("B", "2026-03-02", "", lamps))},
	}}
	var problems []string
	im := ingest.Importer{Store: s, Config: config.Default(), Report: func(r ingest.FileReport) {
		for _, p := range r.Problems {
			problems = append(problems, p.Error())
		}
	}}
	sum, err := im.ImportFS(t.Context(), files, "x", ingest.Options{Site: "https://press.example", Source: "x/"})
	if err != nil || sum.Created != 1 || len(problems) != 1 || !strings.Contains(problems[0], "x/a.md: it cannot be read: no such luck") {
		t.Errorf("%s, %v, %q", sum, err, problems)
	}
}

// TestLargeFileBesideAnArticleIsNamedAsSuch imports an article beside which a sound lies that is too large.
func TestLargeFileBesideAnArticleIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	files := fstest.MapFS{
		"a.md":     {Data: []byte(text("A", "2026-03-01", "", "[listen](talk.mp3)"))},
		"talk.mp3": {Data: make([]byte, ingest.MaxMedium+1)},
	}
	var warnings []string
	im := ingest.Importer{Store: s, Config: config.Default(), Report: func(r ingest.FileReport) {
		for _, w := range r.Warnings {
			warnings = append(warnings, w.Error())
		}
	}}
	sum, err := im.ImportFS(t.Context(), files, "x", ingest.Options{Site: "https://press.example", Source: "x/"})
	if err != nil || sum.Created != 1 || len(warnings) != 1 || !strings.Contains(warnings[0], "talk.mp3 has 20 MB and is left out; at most 20 MB are kept") {
		t.Errorf("%s, %v, %q", sum, err, warnings)
	}
}

// TestFolderGivenByALinkIsWatched: the link is followed to the folder, whose subfolders are watched too.
func TestFolderGivenByALinkIsWatched(t *testing.T) {
	t.Parallel()
	w := &watched{storedFolder: newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{}))}
	write(t, w.dir, map[string]string{"a.md": text("A", "2026-03-01", "", tides), "deep/b.md": text("B", "2026-03-02", "", lamps)})
	link := filepath.Join(t.TempDir(), ".articles") // a hidden name is no reason to pass it over
	if err := os.Symlink(w.dir, link); err != nil {
		t.Skip(err)
	}
	im := ingest.Importer{Store: w.store, Config: config.Default()}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- im.Watch(ctx, []string{link}, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the watch ended with %v", err)
		}
	})
	<-ready
	w.write("c.md", text("C", "2026-03-03", "", "A text of its own about the quay in winter, and about nobody who came to see it."))
	w.write("deep/d.md", text("D", "2026-03-04", "", "Another text of its own about ropes, knots and what the wind makes of them at night."))
	testkit.Eventually(t, "a file in the folder is imported", w.has("C"))
	testkit.Eventually(t, "a file in its subfolder is imported", w.has("D"))
	if got := w.ids(); len(got) != 4 {
		t.Errorf("%v", got)
	}
}
