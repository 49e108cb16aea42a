package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes one record of each kind, and more of the larger ones.
func fill(t testing.TB, j *Journal) {
	t.Helper()
	at := noon
	add := func(mark int64, records ...Record) {
		t.Helper()
		at = at.Add(time.Second)
		must(t, j.Append(at, mark, records...))
	}
	add(1, ArticleStored("a1", "hash1"), ArticleStored("a2", "hash2"))
	add(2, EditionBegun(Edition{Seq: 7, ID: "e7", Digest: "weekly", Number: 3, ScheduledFor: "2026-03-01T08:00", Subject: "Two words – & -", Audience: 4, Articles: []string{"a1", "a2"}}))
	add(0, MailsAttempted(7, []int64{1, 2}))
	add(0, MailsAttempted(7, []int64{3}), MailsDeferred(7, []int64{2}))
	add(3, EditionEnded(7, "sent"))
	add(4, EditionBegun(Edition{Seq: 8, ID: "e8", Digest: "daily", ScheduledFor: "manual:x"}))
	add(0, MailsAttempted(8, []int64{10, 11, 1 << 40}), MailsDeferred(8, []int64{11}))
	add(5, SubscriberState(5, "unsubscribed"), SubscriberState(6, "active"), SubscriberState(6, "erased"))
	add(6, Unsubscribed(5, "weekly"), Subscribed(5, "weekly"), Unsubscribed(6, "daily"), Unsubscribed(6, ""), Subscribed(6, "weekly"))
	add(6, FeedClosed(5, "weekly"), AccessChanged(2, AccessPassword, ""), AccessChanged(2, AccessRole, "editor"), AccessChanged(2, AccessDisabled, ""), AccessChanged(2, AccessEnabled, ""))
	add(6, AccessChanged(3, AccessRemoved, ""), AccessChanged(3, AccessEnabled, ""))
	add(7, Suppressed("00ff", "bounced"), Suppressed("01", "unsubscribed"), SuppressionLifted("01"))
}

func checkState(t *testing.T, f *State) {
	t.Helper()
	if len(f.Editions) != 2 {
		t.Fatalf("%d editions", len(f.Editions))
	}
	first, second := f.Editions[0], f.Editions[1]
	if first.ID == "e8" {
		first, second = second, first
	}
	if first.Subject != "Two words – & -" || first.Number != 3 || first.ScheduledFor != "2026-03-01T08:00" || !slices.Equal(first.Articles, []string{"a1", "a2"}) ||
		first.State != "sent" || first.Ended.IsZero() || first.Recipients() != nil {
		t.Errorf("the edition that ended: %+v", first)
	}
	if !second.Ended.IsZero() || !slices.Equal(second.Recipients(), []int64{10, 1 << 40}) || second.Articles != nil {
		t.Errorf("the edition that did not end: %+v, recipients %v", second, second.Recipients())
	}
	if f.States[5].Value != "unsubscribed" || f.States[6].Value != "erased" || len(f.States) != 2 {
		t.Errorf("states %v", f.States)
	}
	places := map[SubscriptionKey]string{}
	for place, p := range f.Subscriptions {
		places[place] = p.Value
	}
	if want := (map[SubscriptionKey]string{{5, "weekly"}: Joined, {6, ""}: Left, {6, "weekly"}: Joined}); !reflect.DeepEqual(places, want) {
		t.Errorf("places %v, want %v", places, want)
	}
	if f.Suppressions["00ff"].Reason != "bounced" || f.Suppressions["01"].Reason != "" || len(f.Suppressions) != 2 {
		t.Errorf("suppressions %v", f.Suppressions)
	}
	editors := map[EditorKey]string{}
	for key, v := range f.Editors {
		editors[key] = v.Value
	}
	if want := (map[EditorKey]string{{2, AccessPassword}: "", {2, AccessRole}: "editor", {2, AccessDisabled}: "enabled", {3, AccessDisabled}: "removed"}); !reflect.DeepEqual(editors, want) {
		t.Errorf("editors %v, want %v", editors, want)
	}
	if at := f.ClosedFeeds[SubscriptionKey{5, "weekly"}]; len(f.ClosedFeeds) != 1 || at.IsZero() {
		t.Errorf("closed feeds %v", f.ClosedFeeds)
	}
	if f.Articles["hash1"].Value != "a1" || f.Position != 7 || f.Generation != "gen" {
		t.Errorf("articles %v, mark %d, generation %q", f.Articles, f.Position, f.Generation)
	}
}

func TestFactsAreLatestValues(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	fill(t, j)
	must(t, j.Close())
	state, err := Read(folder)
	must(t, err)
	checkState(t, state)
	tail, found, err := ReadTail(folder)
	if err != nil || !found || tail.Position != 7 || tail.Edition != 8 || !slices.Equal(tail.Recipients, []int64{10, 11, 1 << 40}) || tail.ID != state.ID {
		t.Errorf("tail %+v, %v, %v", tail, found, err)
	}
}

func TestDamagedLinesAreSkippedAndCounted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	fill(t, j)
	must(t, j.Close())
	path := filepath.Join(folder, fileName)
	data, err := os.ReadFile(path)
	must(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	lines[3] = strings.Replace(lines[3], "two", "tow", 1)
	lines = slices.Insert(lines, 4, "nonsense\n", strings.Repeat("x", 2*maxLine)+"\n")
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "")+"I 1 2 3"), 0o600))
	state, err := Read(folder)
	must(t, err)
	checkState(t, state)
	if state.Damaged != 3 {
		t.Errorf("%d damaged lines, want 3", state.Damaged)
	}
}

func TestCompactKeepsTheFactsAndBoundsTheSize(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j, other := New(folder, "gen"), New(folder, "gen")
	must(t, other.Append(noon, 0, SubscriberState(99, "paused"))) // its open file is replaced later
	for i := range 200 {
		must(t, j.Append(noon, 1, SubscriberState(5, fmt.Sprint(i))))
	}
	fill(t, j)
	before, err := os.Stat(filepath.Join(folder, fileName))
	must(t, err)
	size, err := j.Compact(noon.Add(time.Hour), Limits{Size: 2000, Keep: 1000 * time.Hour})
	if err != nil || size >= before.Size()/4 {
		t.Errorf("%d of %d bytes are left, %v", size, before.Size(), err)
	}
	must(t, other.Append(noon.Add(2*time.Hour), 0, SubscriberState(98, "paused")))
	must(t, errors.Join(j.Append(noon.Add(2*time.Hour), 0, SubscriberState(97, "paused")), j.Close(), other.Close()))
	state, err := Read(folder)
	must(t, err)
	for _, id := range []int64{97, 98, 99} {
		if state.States[id].Value != "paused" {
			t.Errorf("the state of subscriber %d is lost", id)
		}
		delete(state.States, id)
	}
	checkState(t, state)
}

func TestCompactKeepsWhoJoinedAgainAtTheTimeOfLeaving(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	for id := range int64(100) {
		must(t, j.Append(noon, 0, Unsubscribed(id, ""), Subscribed(id, "weekly")))
	}
	_, err := j.Compact(noon.Add(time.Hour), Limits{Size: 10, Keep: 24 * time.Hour})
	must(t, errors.Join(err, j.Close()))
	state, err := Read(folder)
	must(t, err)
	for id := range int64(100) {
		if state.Subscriptions[SubscriptionKey{id, "weekly"}].Value != Joined || state.Subscriptions[SubscriptionKey{id, ""}].Value != Left {
			t.Errorf("subscriber %d has lost the subscription", id)
		}
	}
}

func TestOldRecordsAndArticlesAreDropped(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	j := New(folder, "gen")
	for i := range 1000 {
		must(t, j.Append(noon.Add(time.Duration(i)*time.Second), 0, ArticleStored(fmt.Sprintf("id%d", i), fmt.Sprintf("source%d", i))))
	}
	fill(t, j)
	size, err := j.Compact(noon.Add(time.Hour), Limits{Size: 8000, Keep: 24 * time.Hour})
	if err != nil || size > 4000 {
		t.Errorf("%d bytes, %v", size, err)
	}
	state, err := Read(folder)
	must(t, err)
	if state.Articles["source999"].Value != "id999" || state.Articles["source0"].Value != "" || state.States[5].Value != "unsubscribed" {
		t.Errorf("%d articles, states %v", len(state.Articles), state.States)
	}
	if _, err := j.Compact(noon.Add(48*time.Hour), Limits{Size: 10, Keep: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if state, err = Read(folder); err != nil || len(state.States) != 0 || len(state.Editions) != 1 || len(state.Editions[0].Recipients()) != 2 {
		t.Errorf("after two days: %v, %d editions, %v; want only the edition that is being sent", state.States, len(state.Editions), err)
	}
	must(t, j.Close())
}

func TestJournalOfAnotherGenerationIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := New(folder, "one")
	must(t, errors.Join(first.Append(noon, 1, SubscriberState(1, "paused")), first.Close()))
	second := New(folder, "two")
	var other *OtherError
	if err := second.Append(noon, 1, SubscriberState(1, "paused")); !errors.As(err, &other) || other.Generation != "one" {
		t.Errorf("%v", err)
	}
	aside, err := Rotate(folder, noon)
	if err != nil || aside == "" {
		t.Fatalf("%q, %v", aside, err)
	}
	must(t, errors.Join(second.Append(noon, 1, SubscriberState(2, "paused")), second.Close()))
	if state, err := Read(folder); err != nil || state.Generation != "two" || len(state.Generations) != 2 || len(state.States) != 2 {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestConcurrentAppendsAreAllKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var wg sync.WaitGroup
	const writers, each = 8, 200
	for w := range writers {
		wg.Go(func() {
			j := New(folder, "gen")
			for i := range each {
				if err := j.Append(noon, 0, SubscriberState(int64(w*each+i), "paused")); err != nil {
					t.Error(err)
				}
				if i%50 == 0 {
					if _, err := j.Compact(noon, Limits{Size: 100, Keep: time.Hour}); err != nil {
						t.Error(err)
					}
				}
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	state, err := Read(folder)
	if err != nil || len(state.States) != writers*each || state.Damaged != 0 {
		t.Errorf("%d of %d states, %d damaged, %v", len(state.States), writers*each, state.Damaged, err)
	}
}

func FuzzParse(f *testing.F) {
	r := EditionBegun(Edition{Seq: 7, ID: "e7", Subject: "two words"})
	f.Add(string(r.append(nil)))
	r = MailsAttempted(7, []int64{1, 2})
	f.Add(strings.TrimSuffix(string(r.append(nil)), "\n"))
	f.Fuzz(func(t *testing.T, line string) {
		state := newState()
		if r, ok := parse(line); ok {
			state.add(&r)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	j := New(b.TempDir(), "gen")
	ids := make([]int64, 32)
	for i := range ids {
		ids[i] = int64(1_000_000 + i)
	}
	for b.Loop() {
		if err := j.Append(noon, 0, MailsAttempted(7, ids)); err != nil {
			b.Fatal(err)
		}
	}
}
