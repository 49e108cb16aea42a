package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// journalWith returns a folder with a journal of records, one a second, at the positions 1, 2 and so on.
func journalWith(t testing.TB, records ...Record) string {
	t.Helper()
	folder := t.TempDir()
	appendTo(t, folder, records...)
	return folder
}

// appendTo appends records to the journal of a folder, as a new process does.
func appendTo(t testing.TB, folder string, records ...Record) {
	t.Helper()
	j := New(folder, "gen")
	for i, r := range records {
		must(t, j.Append(noon.Add(time.Duration(i)*time.Second), int64(i+1), r))
	}
	must(t, j.Close())
}

func readAll(t testing.TB, folders ...string) *State {
	t.Helper()
	state, err := Read(folders...)
	must(t, err)
	return state
}

// TestRecordAfterCutOffLineIsKept: a power cut may leave a line without its end. The first record of the
// next start, such as an unsubscription, must not become a part of that damaged line.
func TestRecordAfterCutOffLineIsKept(t *testing.T) {
	t.Parallel()
	folder := journalWith(t, SubscriberState(1, "paused"), Unsubscribed(2, "weekly"))
	path := filepath.Join(folder, fileName)
	data, err := os.ReadFile(path)
	must(t, err)
	headerEnd := bytes.IndexByte(data, '\n')
	for n := headerEnd; n <= len(data); n++ {
		must(t, os.WriteFile(path, data[:n], 0o600))
		appendTo(t, folder, SubscriberState(3, "unsubscribed"))
		state := readAll(t, folder)
		if state.States[3].Value != "unsubscribed" || state.Generation != "gen" {
			t.Fatalf("after %d of %d bytes the new record is lost: states %v, %d damaged lines", n, len(data), state.States, state.Damaged)
		}
		if cut := n > headerEnd+1 && data[n-1] != '\n' && data[n-1] != 0 && n < len(data) && data[n] != '\n'; state.Damaged > 1 || cut && state.Damaged != 1 {
			t.Fatalf("after %d of %d bytes: %d damaged lines", n, len(data), state.Damaged)
		}
		tail, found, err := ReadTail(folder)
		if err != nil || !found || tail.ID != state.ID || tail.Position < 1 {
			t.Fatalf("after %d of %d bytes: tail %+v, %v", n, len(data), tail, err)
		}
	}
}

// TestRecordAfterPartialWriteIsKept: on a full disk a part of a line may be written, by this process or by
// another one, while the journal stays open.
func TestRecordAfterPartialWriteIsKept(t *testing.T) {
	t.Parallel()
	for name, partial := range map[string]string{
		"the beginning of a record": "S m0 1 2 pau",
		"zeros":                     "\x00\x00\x00\x00",
		"several lines":             "nonsense\nS m0",
		"a line end":                "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			j := New(folder, "gen")
			must(t, j.Append(noon, 1, SubscriberState(1, "paused")))
			file, err := os.OpenFile(filepath.Join(folder, fileName), os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = file.WriteString(partial)
			must(t, errors.Join(err, file.Close()))
			must(t, j.Append(noon, 2, Unsubscribed(2, ""), Suppressed("00ff", "bounced")))
			must(t, errors.Join(j.Append(noon, 3, SubscriberState(4, "erased")), j.Close()))
			state := readAll(t, folder)
			if len(state.States) != 2 || len(state.Subscriptions) != 1 || len(state.Suppressions) != 1 || state.Position != 3 {
				t.Errorf("states %v, subscriptions %v, suppressions %v, position %d", state.States, state.Subscriptions, state.Suppressions, state.Position)
			}
			if want := strings.Count(strings.Trim(partial, "\n"), "\n") + min(1, len(strings.Trim(partial, "\n"))); state.Damaged != want {
				t.Errorf("%d damaged lines, want %d", state.Damaged, want)
			}
		})
	}
}

// TestDamageAnywhereLosesOneRecordOnly flips bytes, one at a time, in a journal of single states.
func TestDamageAnywhereLosesOneRecordOnly(t *testing.T) {
	t.Parallel()
	var records []Record
	for id := range int64(30) {
		records = append(records, SubscriberState(id, "paused"))
	}
	folder := journalWith(t, records...)
	path := filepath.Join(folder, fileName)
	data, err := os.ReadFile(path)
	must(t, err)
	body := bytes.IndexByte(data, '\n') + 1
	random := rand.New(rand.NewPCG(5, 11))
	for range 200 {
		damaged := bytes.Clone(data)
		at := body + random.IntN(len(data)-body)
		damaged[at] ^= byte(1 + random.IntN(255))
		must(t, os.WriteFile(path, damaged, 0o600))
		state := readAll(t, folder)
		// A line end that is changed joins two lines, and a letter that becomes a line end makes two of one.
		if lost := len(records) - len(state.States); lost < 0 || lost > 2 || state.Damaged < 1 && lost > 0 || state.Damaged > 2 {
			t.Fatalf("byte %d changed from %q to %q: %d records lost, %d damaged lines", at, data[at], damaged[at], lost, state.Damaged)
		}
	}
}

func TestClosedJournalRefusesEveryUse(t *testing.T) {
	t.Parallel()
	folder := journalWith(t, SubscriberState(1, "paused"), SubscriberState(2, "paused"))
	j := New(folder, "gen")
	must(t, j.Close()) // it was never used
	_, idErr := j.ID()
	_, compactErr := j.Compact(noon, Limits{Size: 1})
	for name, err := range map[string]error{"append": j.Append(noon, 1, SubscriberState(3, "paused")), "id": idErr, "compact": compactErr} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, j.Close())
	if state := readAll(t, folder); len(state.States) != 2 || state.Damaged != 0 {
		t.Errorf("the journal was changed: %v", state.States)
	}
	used := New(folder, "gen")
	must(t, used.Append(noon, 1, SubscriberState(4, "paused")))
	must(t, errors.Join(used.Close(), used.Close()))
}

func TestJournalIsCreatedByItsFirstUseForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "deep", "tidings.journal")
	j := New(folder, "gen")
	must(t, j.Append(noon, 1)) // no records
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("an append of no records created the folder: %v", err)
	}
	if size, err := j.Compact(noon, Limits{}); size != 0 || err != nil {
		t.Errorf("compacting no journal: %d, %v", size, err)
	}
	id, err := j.ID()
	if err != nil || len(id) != 36 {
		t.Fatalf("id %q, %v", id, err)
	}
	must(t, j.Close())
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{folder: 0o700, filepath.Join(folder, fileName): 0o600, filepath.Join(folder, lockName): 0o600} {
			info, err := os.Stat(path)
			must(t, err)
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has the mode %v, want %v", path, got, want)
			}
		}
	}
	again := New(folder, "gen")
	if same, err := again.ID(); same != id || err != nil {
		t.Errorf("opened again, the id is %q, %v; want %q", same, err, id)
	}
	_, err = Rotate(folder, noon)
	must(t, err)
	must(t, again.Append(noon, 1, SubscriberState(1, "paused"))) // its file was renamed
	other, err := again.ID()
	must(t, errors.Join(err, again.Close()))
	state := readAll(t, folder)
	if other == id || state.ID != other || state.States[1].Value != "paused" || len(state.Generations) != 2 {
		t.Errorf("after the rotation the id is %q, was %q; state %+v", other, id, state)
	}
}

func TestFolderThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a-file")
	must(t, os.WriteFile(file, nil, 0o600))
	j := New(filepath.Join(file, "journal"), "gen")
	if err := j.Append(noon, 1, SubscriberState(1, "paused")); err == nil || !strings.Contains(err.Error(), file) || !strings.HasPrefix(err.Error(), "journal: ") {
		t.Errorf("a folder below a file: %v", err)
	}
	must(t, j.Close())

	isFolder := t.TempDir()
	must(t, os.Mkdir(filepath.Join(isFolder, fileName), 0o700))
	j = New(isFolder, "gen")
	if err := j.Append(noon, 1, SubscriberState(1, "paused")); err == nil || !strings.Contains(err.Error(), filepath.Join(isFolder, fileName)) {
		t.Errorf("a folder in place of the file: %v", err)
	}
	// After the folder is moved away, the same journal works.
	must(t, os.Remove(filepath.Join(isFolder, fileName)))
	must(t, errors.Join(j.Append(noon, 1, SubscriberState(1, "paused")), j.Close()))
	if state := readAll(t, isFolder); state.States[1].Value != "paused" {
		t.Errorf("states %v", state.States)
	}
}

func TestFileThatIsNoJournalIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	record := SubscriberState(1, "paused")
	for name, content := range map[string]string{
		"text":                   "these are my notes\n",
		"a record without start": string(record.append(nil)),
		"a cut header":           "H m0 0 gen 0123",
		"zeros":                  strings.Repeat("\x00", 8192),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, fileName)
			must(t, os.WriteFile(path, []byte(content), 0o600))
			j := New(folder, "gen")
			_, compactErr := j.Compact(noon, Limits{Size: 1})
			_, found, tailErr := ReadTail(folder)
			for _, err := range []error{j.Append(noon, 1, record), compactErr, tailErr} {
				if err == nil || !strings.Contains(err.Error(), "its first line is damaged; move the file to another folder") {
					t.Errorf("%v", err)
				}
			}
			if found || !strings.Contains(tailErr.Error(), path) {
				t.Errorf("found %v, %v", found, tailErr)
			}
			must(t, j.Close())
			if data, err := os.ReadFile(path); err != nil || string(data) != content {
				t.Errorf("the file was changed: %.60q, %v", data, err)
			}
		})
	}
}

func TestOtherGenerationSaysWhatToDo(t *testing.T) {
	t.Parallel()
	folder := journalWith(t, SubscriberState(1, "paused"))
	_, err := New(folder, "another").ID()
	if want := filepath.Join(folder, fileName) + " belongs to another store or to a copy of this one; give this store a folder of its own with store.journal"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
	if strings.Contains(fmt.Sprint(err), "gen ") {
		t.Errorf("the generation is secret: %v", err)
	}
}

func TestTailOfMissingOrEmptyJournalIsNotFound(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	must(t, os.WriteFile(filepath.Join(empty, fileName), nil, 0o600))
	for name, folder := range map[string]string{"no folder": filepath.Join(empty, "none"), "no file": t.TempDir(), "an empty file": empty} {
		if tail, found, err := ReadTail(folder); found || err != nil || tail.Position != 0 {
			t.Errorf("%s: %+v, %v, %v", name, tail, found, err)
		}
		if state, err := Read(folder); err != nil || state.Generation != "" || !state.Last.IsZero() {
			t.Errorf("%s: %+v, %v", name, state, err)
		}
		if at, err := TimeOf(folder, 0); err != nil || !at.IsZero() {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
	// An empty file, as a power cut leaves it, is used.
	appendTo(t, empty, SubscriberState(1, "paused"))
	if tail, found, err := ReadTail(empty); !found || err != nil || tail.Position != 1 || tail.Generation != "gen" {
		t.Errorf("%+v, %v, %v", tail, found, err)
	}
}

func TestTailFollowsTheLastIntents(t *testing.T) {
	t.Parallel()
	begun := EditionBegun(Edition{Seq: 7, ID: "e7"})
	long := make([]int64, 3000) // more than the size of a tail
	for i := range long {
		long[i] = 1 << 40
	}
	for name, c := range map[string]struct {
		records    []Record
		edition    int64
		recipients []int64
	}{
		"no intents":           {[]Record{begun}, 0, nil},
		"two intents":          {[]Record{begun, MailsAttempted(7, []int64{1, 2}), MailsAttempted(7, []int64{3})}, 7, []int64{3}},
		"ended":                {[]Record{begun, MailsAttempted(7, []int64{1}), EditionEnded(7, "sent")}, 0, nil},
		"another one ended":    {[]Record{begun, MailsAttempted(7, []int64{1}), EditionEnded(8, "sent")}, 7, []int64{1}},
		"deferred":             {[]Record{begun, MailsAttempted(7, []int64{1}), MailsDeferred(7, []int64{1})}, 7, []int64{1}},
		"other records follow": {[]Record{begun, MailsAttempted(7, []int64{1}), SubscriberState(1, "paused"), Suppressed("00", "bounced")}, 7, []int64{1}},
		"a long line before":   {[]Record{begun, MailsAttempted(7, long), MailsAttempted(7, []int64{9})}, 7, []int64{9}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tail, found, err := ReadTail(journalWith(t, c.records...))
			if err != nil || !found || tail.Edition != c.edition || !slices.Equal(tail.Recipients, c.recipients) || tail.Position != int64(len(c.records)) {
				t.Errorf("%+v, %v, %v", tail, found, err)
			}
		})
	}
}

func TestTailOfLongJournalHasTheLastPosition(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	var records []Record
	for i := range int64(5000) {
		records = append(records, Suppressed(fmt.Sprintf("%064d", i), "bounced"))
	}
	must(t, j.Append(noon, 1_000_000, MailsAttempted(1, []int64{1})))
	must(t, j.Append(noon, 1_000_001, records...))
	must(t, errors.Join(j.Append(noon, 5, SubscriberState(1, "paused")), j.Close())) // a lower one never lowers it
	info, err := os.Stat(filepath.Join(folder, fileName))
	must(t, err)
	if info.Size() < 2*tailSize {
		t.Fatalf("the journal has %d bytes only", info.Size())
	}
	tail, found, err := ReadTail(folder)
	if err != nil || !found || tail.Position != 1_000_001 || tail.Generation != "gen" || tail.Edition != 0 {
		t.Errorf("%+v, %v, %v", tail, found, err)
	}
}

func TestTimeOfIsThatOfTheFirstRecordBehindAPosition(t *testing.T) {
	t.Parallel()
	folder := journalWith(t, SubscriberState(1, "a"), SubscriberState(1, "b"), SubscriberState(1, "c"))
	for position, want := range map[int64]time.Time{-1: noon, 0: noon, 1: noon.Add(time.Second), 2: noon.Add(2 * time.Second), 3: {}, 1 << 60: {}} {
		if got, err := TimeOf(folder, position); err != nil || !got.Equal(want) {
			t.Errorf("behind position %d: %v, %v; want %v", position, got, err, want)
		}
	}
}

func TestSmallJournalIsNotRewritten(t *testing.T) {
	t.Parallel()
	folder := journalWith(t, SubscriberState(1, "a"), SubscriberState(1, "b"))
	path := filepath.Join(folder, fileName)
	before, err := os.ReadFile(path)
	must(t, err)
	j := New(folder, "gen")
	size, err := j.Compact(noon, Limits{Size: int64(len(before)), Keep: time.Hour})
	must(t, errors.Join(err, j.Close()))
	after, err := os.ReadFile(path)
	if must(t, err); size != int64(len(before)) || !bytes.Equal(before, after) {
		t.Errorf("size %d; the journal was rewritten:\n%s\nwas\n%s", size, after, before)
	}
}

func TestCompactingKeepsEveryRecipientOfARunningEdition(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	began := noon.Add(-500 * 24 * time.Hour) // long before what is kept
	must(t, j.Append(began, 1, EditionBegun(Edition{Seq: 4, ID: "e4", Digest: "weekly", Articles: []string{"a"}})))
	var want []int64
	for from := int64(0); from < 2600; from += 13 {
		var ids []int64
		for id := from; id < from+13; id++ {
			ids = append(ids, id)
		}
		must(t, j.Append(began, 2, MailsAttempted(4, ids)))
		want = append(want, ids[1:]...)
		must(t, j.Append(began, 3, MailsDeferred(4, ids[:1])))
	}
	must(t, j.Append(began, 4, SubscriberState(1, "paused")))
	_, err := j.Compact(noon, Limits{Size: 100, Keep: 400 * 24 * time.Hour})
	must(t, errors.Join(err, j.Close()))
	state := readAll(t, folder)
	if len(state.Editions) != 1 || !slices.Equal(state.Editions[0].Recipients(), want) || len(state.States) != 0 || state.Position != 4 {
		t.Fatalf("%d editions, states %v, position %d", len(state.Editions), state.States, state.Position)
	}
	if e := state.Editions[0]; e.Digest != "weekly" || !slices.Equal(e.Articles, []string{"a"}) || !e.Ended.IsZero() {
		t.Errorf("%+v", e)
	}
	if tail, _, err := ReadTail(folder); err != nil || tail.Edition != 4 || len(tail.Recipients) == 0 {
		t.Errorf("tail %+v, %v", tail, err)
	}
}

func TestIntentsOfUnknownOrEndedEditionsAreIgnored(t *testing.T) {
	t.Parallel()
	state := readAll(t, journalWith(t,
		MailsAttempted(9, []int64{1}), EditionEnded(9, "sent"), EditionEndedByID("unknown", "failed"),
		EditionBegun(Edition{Seq: 1, ID: "e1"}), MailsAttempted(1, []int64{2}), EditionEndedByID("e1", "cancelled"), MailsAttempted(1, []int64{3}),
		EditionBegun(Edition{Seq: 2, ID: "e2"}), MailsAttempted(2, nil), EditionBegun(Edition{Seq: 3, ID: "e2"}), MailsAttempted(3, []int64{5}), MailsAttempted(2, []int64{6}),
	))
	if len(state.Editions) != 2 {
		t.Fatalf("%d editions", len(state.Editions))
	}
	if e := state.Editions[0]; e.State != "cancelled" || e.Recipients() != nil {
		t.Errorf("the cancelled edition: %+v", e)
	}
	if e := state.Editions[1]; e.ID != "e2" || !slices.Equal(e.Recipients(), []int64{5, 6}) {
		t.Errorf("the edition that began twice: %+v", e)
	}
}

func TestMethodsOfEditorsAreToldApart(t *testing.T) {
	t.Parallel()
	for change, want := range map[AccessChange][2]string{
		AccessPasskey.Method("k1"):       {"passkey", "k1"},
		AccessProvider.Method("a b"):     {"provider", "a b"},
		AccessPasskey.Method(""):         {"passkey", ""},
		AccessRole:                       {"role", ""},
		AccessPasskey.Method("é – 日本 %"): {"passkey", "é – 日本 %"},
	} {
		if kind, id := change.MethodID(); string(kind) != want[0] || id != want[1] {
			t.Errorf("%q: %q, %q", change, kind, id)
		}
	}
	first, second := AccessPasskey.Method("k1"), AccessPasskey.Method("k2")
	state := readAll(t, journalWith(t, AccessChanged(1, first, MethodRemoved), AccessChanged(1, second, "added"), AccessChanged(2, AccessFactor, FactorOn), AccessChanged(2, AccessFactor, FactorOff)))
	if len(state.Editors) != 3 || state.Editors[EditorKey{1, first}].Value != MethodRemoved || state.Editors[EditorKey{1, second}].Value != "added" || state.Editors[EditorKey{2, AccessFactor}].Value != FactorOff {
		t.Errorf("%v", state.Editors)
	}
}

// TestJournalOfNewerVersionIsRead: a later version may write more fields, and kinds of records that this one
// does not know.
func TestJournalOfNewerVersionIsRead(t *testing.T) {
	t.Parallel()
	more := SubscriberState(1, "paused")
	more.fields = append(more.fields, "a later field")
	unknown := Record{kind: 'Z', fields: []string{"x"}}
	fewer := Record{kind: suppressKind, fields: []string{"00ff"}}
	state := readAll(t, journalWith(t, more, unknown, fewer, SubscriberState(2, "erased")))
	if len(state.States) != 2 || state.States[1].Value != "paused" || len(state.Suppressions) != 0 || state.Damaged != 1 || state.Position != 4 {
		t.Errorf("states %v, suppressions %v, %d damaged lines, position %d", state.States, state.Suppressions, state.Damaged, state.Position)
	}
}
