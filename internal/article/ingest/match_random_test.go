package ingest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// TestRandomMovesKeepArticleIDs moves, renames, swaps, edits and adds files at
// random and imports the folder or one of its files. Every article must be stored once and
// keep its id.
func TestRandomMovesKeepArticleIDs(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	rounds := 40
	if testing.Short() || testkit.RaceDetector {
		rounds = 8
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newMovingFolder(t, uint64(seed))
			for range 12 {
				w.step()
				w.check()
			}
		})
	}
}

// movingFolder is a stored folder whose files are moved and edited at random.
type movingFolder struct {
	*storedFolder
	random *rand.Rand
	files  map[string]*movingArticle // by name
	made   int
}

// movingArticle is an article of a movingFolder.
type movingArticle struct {
	number   int
	title    string
	body     []string
	slug, id string // in front matter; may be empty
	stored   string // id in the store; empty before the first import
}

func newMovingFolder(t *testing.T, seed uint64) *movingFolder {
	t.Helper()
	w := &movingFolder{storedFolder: newStoredFolder(t, storetest.Open(t, store.SQLite, store.Options{})), random: rand.New(rand.NewPCG(seed, 7)), files: map[string]*movingArticle{}}
	for range 6 {
		w.add()
	}
	w.imports("")
	w.check()
	return w
}

func (w *movingFolder) add() {
	w.made++
	r := &movingArticle{number: w.made, title: fmt.Sprintf("Piece %d", w.made)}
	for i := range 20 + w.random.IntN(20) {
		r.body = append(r.body, fmt.Sprintf("word%dx%d", w.made, w.random.IntN(1000)+i))
	}
	switch w.random.IntN(4) {
	case 0:
		r.slug = fmt.Sprintf("slug-%d", w.made)
	case 1:
		r.id = fmt.Sprintf("id-%d", w.made)
	}
	name := w.freeName()
	w.files[name] = r
	w.save(name)
}

func (w *movingFolder) freeName() string {
	for {
		name := fmt.Sprintf("%s%s.md", []string{"", "a/", "a/b/", "c/"}[w.random.IntN(4)], []string{"one", "two", "three", "four", "five", "six", "seven"}[w.random.IntN(7)])
		if w.random.IntN(3) == 0 {
			name = strings.TrimSuffix(name, ".md") + "/index.md"
		}
		if w.files[name] == nil {
			return name
		}
	}
}

func (w *movingFolder) save(name string) {
	r := w.files[name]
	more := ""
	if r.slug != "" {
		more += "slug: " + r.slug + "\n"
	}
	if r.id != "" {
		more += "id: " + r.id + "\n"
	}
	date := time.Date(2026, 1, 1+r.number%5, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) // some share their date
	w.write(name, text(r.title, date, more, strings.Join(r.body, " ")))
}

func (w *movingFolder) pick() string {
	names := slices.Sorted(maps.Keys(w.files))
	return names[w.random.IntN(len(names))]
}

// step changes some files and imports.
func (w *movingFolder) step() {
	touched := ""
	for range 1 + w.random.IntN(3) {
		touched = ""
		switch w.random.IntN(6) {
		case 0:
			w.add()
		case 1, 2: // a move
			from, to := w.pick(), w.freeName()
			w.move(from, to)
			w.files[to] = w.files[from]
			delete(w.files, from)
			touched = to
		case 3: // an edit
			name := w.pick()
			w.edit(name)
			touched = name
		case 4: // both
			from, to := w.pick(), w.freeName()
			w.move(from, to)
			w.files[to] = w.files[from]
			delete(w.files, from)
			w.edit(to)
			touched = to
		case 5: // the whole folder goes elsewhere
			next := fmt.Sprintf("%s%d", w.dir, w.random.IntN(1000))
			if err := os.Rename(w.dir, next); err != nil {
				w.t.Fatal(err)
			}
			w.dir = next
		}
	}
	if touched != "" && w.random.IntN(3) == 0 {
		w.imports(touched)
	}
	w.imports("")
}

func (w *movingFolder) edit(name string) {
	r := w.files[name]
	switch w.random.IntN(3) {
	case 0:
		r.title += "!"
	case 1:
		r.body = append(r.body, fmt.Sprint("more", w.random.IntN(1000)))
	default:
		r.body[w.random.IntN(len(r.body))] = "changed"
	}
	w.save(name)
}

func (w *movingFolder) check() {
	w.t.Helper()
	ids := w.ids()
	if len(ids) != len(w.files) {
		w.t.Fatalf("%d files, %d articles: %v", len(w.files), len(ids), ids)
	}
	for name, r := range w.files {
		switch id := ids[r.title]; {
		case id == "":
			w.t.Fatalf("%s (%s) has no article", name, r.title)
		case r.stored == "":
			r.stored = id
		case r.stored != id:
			w.t.Fatalf("%s (%s) was %s and is %s", name, r.title, r.stored, id)
		}
	}
}
