package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// randomRecords returns records as a service writes them: editions begin before mails are attempted, and the
// numbers of subscribers and editors are few, so that later records replace earlier ones.
func randomRecords(random *rand.Rand, n int) (out []Record) {
	texts := []string{"", "-", "%2D", " ", "two words", "a\nb", "\r", "\x00", "é – 日本", "+", "a%20b", "I 1 2 3", strings.Repeat("x", 500), "\xff"}
	text := func() string { return texts[random.IntN(len(texts))] }
	subscriber := func() int64 { return random.Int64N(5) + 1<<40*random.Int64N(2) }
	digest := func() string { return []string{"weekly", "daily", ""}[random.IntN(3)] }
	var open []int64
	for i := range n {
		switch random.IntN(12) {
		case 0:
			seq := int64(i + 1)
			open = append(open, seq)
			articles := [][]string{nil, {"a1"}, {"a1", "a2"}}[random.IntN(3)]
			out = append(out, EditionBegun(Edition{Seq: seq, ID: fmt.Sprint("e", seq), Digest: "weekly", Number: i, ScheduledFor: text(), Subject: text(), Audience: subscriber(), Articles: articles}))
		case 1:
			if len(open) > 0 {
				seq := open[random.IntN(len(open))]
				out = append(out, []Record{EditionEnded(seq, "sent"), EditionEndedByID(fmt.Sprint("e", seq), "failed")}[random.IntN(2)])
			}
		case 2, 3:
			if len(open) > 0 {
				out = append(out, MailsAttempted(open[random.IntN(len(open))], []int64{subscriber(), subscriber()}))
			}
		case 4:
			if len(open) > 0 {
				out = append(out, MailsDeferred(open[random.IntN(len(open))], []int64{subscriber()}))
			}
		case 5:
			out = append(out, SubscriberState(subscriber(), text()))
		case 6:
			out = append(out, Unsubscribed(subscriber(), digest()))
		case 7:
			out = append(out, Subscribed(subscriber(), []string{"weekly", "daily"}[random.IntN(2)]))
		case 8:
			out = append(out, []Record{Suppressed(fmt.Sprint("h", random.IntN(4)), "bounced"), SuppressionLifted(fmt.Sprint("h", random.IntN(4)))}[random.IntN(2)])
		case 9:
			out = append(out, ArticleStored(fmt.Sprint("a", i), fmt.Sprint("s", random.IntN(9))))
		case 10:
			out = append(out, FeedClosed(subscriber(), digest()))
		case 11:
			changes := []AccessChange{AccessPassword, AccessRole, AccessFactor, AccessDisabled, AccessEnabled, AccessRemoved, AccessPasskey.Method("k1"), AccessProvider.Method("p 1")}
			out = append(out, AccessChanged(subscriber(), changes[random.IntN(len(changes))], text()))
		}
	}
	return out
}

// facts returns what a state says, without the files that it comes from. The time at which an edition that
// ended began is not kept by Compact.
func facts(s *State) string {
	var editions []string
	for _, e := range s.Editions {
		began := ""
		if e.Ended.IsZero() {
			began = e.Began.String()
		}
		editions = append(editions, fmt.Sprintf("%d %s %s %d %q %q %d %v %s %s %q %v", e.Seq, e.ID, e.Digest, e.Number, e.ScheduledFor, e.Subject, e.Audience, e.Articles, began, e.Ended, e.State, e.Recipients()))
	}
	slices.Sort(editions)
	return fmt.Sprintln(strings.Join(editions, "\n"), s.Generation, s.ID, s.Position, s.Started, s.Damaged) +
		fmt.Sprintln(s.States) + fmt.Sprintln(s.Subscriptions) + fmt.Sprintln(s.Suppressions) + fmt.Sprintln(s.Articles) + fmt.Sprintln(s.ClosedFeeds) + fmt.Sprintln(s.Editors)
}

// firstDifference returns the first line in which two texts differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\nwant\n" + b[i]
		}
	}
	return got + "\nwant\n" + want
}

func TestAnyRecordIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 7))
	for _, want := range randomRecords(random, 1000) {
		want.at, want.position = random.Int64(), random.Int64N(1<<50)
		line := string(want.append(nil))
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%+v is written as %q", want, line)
		}
		line = strings.TrimSuffix(line, "\n")
		if got, ok := parse(line); !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nis written as %q\nand read as %+v, %v", want, line, got, ok)
		}
		// A changed letter is noticed, wherever it stands.
		at := random.IntN(len(line))
		damaged := line[:at] + string(rune(line[at]^1)) + line[at+1:]
		if got, ok := parse(damaged); ok {
			t.Fatalf("%q is read as %+v", damaged, got)
		}
		if got, ok := parse(line[:at]); ok {
			t.Fatalf("the beginning %q is read as %+v", line[:at], got)
		}
	}
	for _, line := range []string{"", " ", "x", "S 1 2 3", "S", "ST 1 1 a b 0", strings.Repeat(" ", 100)} {
		if got, ok := parse(line); ok {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

// write makes a journal of records, one a second, and returns its folder.
func write(t *testing.T, records []Record, mine func(i int) bool) string {
	t.Helper()
	folder := t.TempDir()
	j := New(folder, "gen")
	for i, r := range records {
		if mine(i) {
			must(t, j.Append(noon.Add(time.Duration(i)*time.Second), int64(i+1), r))
		}
	}
	must(t, j.Close())
	return folder
}

func every(int) bool { return true }

func TestCompactingKeepsEveryFact(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		records := randomRecords(rand.New(rand.NewPCG(seed, 8)), 300)
		records = slices.DeleteFunc(records, func(r Record) bool { return r.droppable() })
		folder := write(t, records, every)
		before, err := Read(folder)
		must(t, err)
		j := New(folder, "gen")
		for range 2 { // compacting once more changes nothing
			info, err := os.Stat(filepath.Join(folder, fileName))
			must(t, err)
			_, err = j.Compact(noon, Limits{Size: info.Size() - 1, Keep: 1000 * time.Hour})
			must(t, err)
			state := newState()
			found, damaged, err := readFile(filepath.Join(folder, fileName))
			must(t, err)
			for i := range found {
				state.add(&found[i])
			}
			state.Damaged = damaged
			if got, want := facts(state), facts(before); got != want {
				t.Fatalf("seed %d: the compacted journal says\n%s", seed, firstDifference(got, want))
			}
		}
		must(t, j.Close())
	}
}

func TestJournalsOfSeveralMachinesAreMergedByTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		records := randomRecords(rand.New(rand.NewPCG(seed, 9)), 200)
		whole, err := Read(write(t, records, every))
		must(t, err)
		first := write(t, records, func(i int) bool { return i%3 == 0 })
		second := write(t, records, func(i int) bool { return i%3 != 0 })
		for name, folders := range map[string][]string{"two": {first, second}, "the other way round": {second, first}, "one of them twice": {first, second, first}, "with an empty folder": {first, t.TempDir(), second}} {
			merged, err := Read(folders...)
			must(t, err)
			merged.ID, merged.Started, whole.ID, whole.Started = "", time.Time{}, "", time.Time{}
			if got, want := facts(merged), facts(whole); got != want {
				t.Fatalf("seed %d, %s: merged they say\n%s", seed, name, firstDifference(got, want))
			}
		}
	}
}

// TestCutOffJournalKeepsWhatStandsBefore: a power cut may leave any number of bytes.
func TestCutOffJournalKeepsWhatStandsBefore(t *testing.T) {
	t.Parallel()
	records := randomRecords(rand.New(rand.NewPCG(3, 10)), 40)
	folder := write(t, records, every)
	path := filepath.Join(folder, fileName)
	data, err := os.ReadFile(path)
	must(t, err)
	for n := 0; n < len(data); n += 7 {
		must(t, os.WriteFile(path, data[:n], 0o600))
		found, damaged, err := readFile(path)
		whole := strings.Count(string(data[:n]), "\n")
		if partial := n > 0 && data[n-1] != '\n'; err != nil || damaged > 1 || len(found) < whole || len(found)+damaged > whole+1 || !partial && damaged > 0 {
			t.Fatalf("%d of %d bytes: %d records, %d damaged lines, %v", n, len(data), len(found), damaged, err)
		}
		if _, _, err := ReadTail(folder); err != nil && whole > 0 {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}
