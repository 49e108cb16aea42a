package journal

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRotationKeepsTheNewestFive(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if name, err := Rotate(folder, noon); name != "" || err != nil {
		t.Fatalf("no journal: %q, %v", name, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Fatalf("rotating no journal left %v, %v", files, err)
	}
	must(t, os.WriteFile(filepath.Join(folder, "journal.new-1"), []byte("left by a crash"), 0o600))
	for i := range int64(8) {
		appendTo(t, folder, SubscriberState(i, "paused"))
		name, err := Rotate(folder, noon.Add(time.Duration(i)*time.Hour))
		if _, missing := os.Stat(name); err != nil || missing != nil || filepath.Dir(name) != folder {
			t.Fatalf("rotation %d: %q, %v, %v", i, name, err, missing)
		}
	}
	state := readAll(t, folder)
	if len(state.States) != 5 || state.States[3].Value != "paused" || state.States[7].Value != "paused" || len(state.Generations) != 5 {
		t.Errorf("states %v", state.States)
	}
}

// TestRotationsOfTheSameMillisecondKeepBothFiles: a rename replaces the file of its new name.
func TestRotationsOfTheSameMillisecondKeepBothFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	names := map[string]bool{}
	for i := range int64(3) {
		appendTo(t, folder, SubscriberState(i, "paused"))
		name, err := Rotate(folder, noon)
		must(t, err)
		names[name] = true
	}
	if state := readAll(t, folder); len(names) != 3 || len(state.States) != 3 {
		t.Errorf("names %v, states %v", names, state.States)
	}
}

// TestFolderWithCharactersOfPatternsIsRead: the rotated files are looked up by their names, and the names
// of folders may have characters that stand for others in patterns.
func TestFolderWithCharactersOfPatternsIsRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"[old] server", "a*b", "what?", `back\slash`, "[", "ümläut 日本"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.ContainsAny(name, `*?\`) {
				t.Skip("Windows does not allow this name")
			}
			folder := filepath.Join(t.TempDir(), name)
			appendTo(t, folder, Unsubscribed(1, ""))
			_, err := Rotate(folder, noon)
			must(t, err)
			appendTo(t, folder, Unsubscribed(2, ""))
			if state := readAll(t, folder); len(state.Subscriptions) != 2 {
				t.Errorf("subscriptions %v", state.Subscriptions)
			}
		})
	}
}
