package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// list returns a list of n addresses, generated while it is read. A multiplier spreads neighbouring
// lines over the index, as in real lists.
func list(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		out := bufio.NewWriterSize(w, 64<<10)
		fmt.Fprintln(out, "email,name")
		for i := range n {
			fmt.Fprintf(out, "reader.%d@example%d.org,Reader Number %d\n", (i*7919)%n, i%500, i)
		}
		w.CloseWithError(out.Flush())
	}()
	return r
}

// killedList is as long as the list that is imported by a process that is killed, in batches of killedBatch.
const killedList, killedBatch = 3_000, 300

func importAll(t testing.TB, s *store.Store, n int) store.ImportResult {
	t.Helper()
	rows := storetest.List(t, list(n))
	result, err := s.ImportSubscribers(t.Context(), rows, store.ImportOptions{Digests: []string{"weekly"}})
	if err != nil {
		t.Fatal(err)
	}
	return result.ImportResult
}

func TestImportReportsTheResultOfEachLine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		there := addSubscriber(t, s, "there@example.org", subscriber.Active)
		left := addSubscriber(t, s, "left@example.org", subscriber.Active)
		for _, id := range []int64{left.ID, there.ID} {
			if err := s.Subscribe(ctx, id, "weekly", nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Unsubscribe(ctx, left.ID, "weekly"); err != nil {
			t.Fatal(err)
		}
		if err := s.Suppress(ctx, subscriber.MustParseAddress("never@example.org"), store.ComplainedReason, ""); err != nil {
			t.Fatal(err)
		}
		const data = "email,name,state,digests,topics\n" +
			"new@example.org,New,,,\n" + // 2
			"THERE@example.org,,,,\n" + // 3
			"not an address,,,,\n" + // 4
			"New@Example.ORG,,,,\n" + // 5
			"Never@example.org,,,,\n" + // 6
			"left@example.org,,,,\n" + // 7
			"own@example.org,,,daily,golang|jobs\n" + // 8
			"gone@example.org,,bounced,,\n" + // 9
			"wiped@example.org,Wiped,erased,,\n" // 10
		var lines []string
		result, err := s.ImportSubscribers(ctx, storetest.List(t, strings.NewReader(data)), store.ImportOptions{
			Digests: []string{"weekly"}, Consent: subscriber.Consent{Source: "import", Text: "at the fair"},
			Report: func(l store.ImportLine) { lines = append(lines, fmt.Sprint(l.Line, " ", l.Outcome)) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(lines, ", "), "3 unchanged, 4 refused, 5 repeated, 6 suppressed, 7 suppressed, 10 suppressed"; got != want {
			t.Errorf("reported %s; want %s", got, want)
		}
		if want := (store.ImportResult{Lines: 9, Added: 2, Unchanged: 1, Repeated: 1, Suppressed: 4, Refused: 1}); result.ImportResult != want {
			t.Errorf("result %+v, want %+v", result, want)
		}
		fresh := byAddress(t, s, "new@example.org")
		if fresh.State != subscriber.Active || fresh.Name != "New" || fresh.Consent.Text != "at the fair" || fresh.Consent.Source != "import" {
			t.Errorf("imported as %+v", fresh)
		}
		for address, want := range map[string]string{"new@example.org": "[weekly []]", "there@example.org": "[weekly []]", "left@example.org": "[]", "own@example.org": "[daily [golang jobs]]", "gone@example.org": "[]"} {
			if got := onDigests(t, s, byAddress(t, s, address).ID); got != want {
				t.Errorf("%s is subscribed to %s, want %s", address, got, want)
			}
		}
		for address, want := range map[string]store.SuppressionReason{"gone@example.org": store.BouncedReason, "wiped@example.org": store.ErasedReason} {
			if held, err := s.Suppression(ctx, subscriber.MustParseAddress(address)); held.Reason != want || err != nil {
				t.Errorf("%s: %+v, %v; want %s", address, held, err, want)
			}
		}
		mustNotHold(t, s, "wiped")
	})
}

func onDigests(t *testing.T, s *store.Store, id int64) string {
	t.Helper()
	all, err := s.Subscriptions(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, p := range all {
		out = append(out, fmt.Sprint(p.Digest, " ", p.Topics))
	}
	return fmt.Sprint(out)
}

func TestInterruptedListKeepsEarlierLines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		broken := errors.New("the disk went away")
		rows := func(yield func(subscriber.Row, error) bool) {
			for i := range 21_000 { // a little more than one batch
				if !yield(subscriber.Row{Line: i + 1, Address: subscriber.MustParseAddress(fmt.Sprintf("p%d@example.org", i))}, nil) {
					return
				}
			}
			yield(subscriber.Row{}, broken)
		}
		result, err := s.ImportSubscribers(t.Context(), rows, store.ImportOptions{})
		counts, countErr := s.CountSubscribers(t.Context())
		if !errors.Is(err, broken) || result.Added != 21_000 || counts[subscriber.Active] != 21_000 || countErr != nil {
			t.Errorf("%+v, %v; stored %v", result, err, counts)
		}
	})
}

func TestKilledImportIsCompletedByRunningItAgain(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			s := storetest.Reopen(t, dsn, store.Options{})
			cmd := helperProcess(dsn, "import")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			before := waitForSome(t, s)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			again := importAll(t, s, killedList)
			if again.Added+again.Unchanged != killedList || again.Unchanged < before {
				t.Errorf("after %d lines before the kill: %+v", before, again)
			}
			if n, err := s.CountActive(t.Context(), "weekly"); n != killedList || err != nil {
				t.Errorf("%d subscribers of the digest, %v; want %d", n, err, killedList)
			}
		})
	}
}

func waitForSome(t *testing.T, s *store.Store) int64 {
	t.Helper()
	for deadline := time.Now().Add(testkit.Timeout); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		counts, err := s.CountSubscribers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := counts[subscriber.Active]; n > 0 {
			return n
		}
	}
	t.Fatalf("the import added no subscriber in %v", testkit.Timeout)
	return 0
}

func TestConcurrentImportsAddEachSubscriberOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.DSN(t, engine)
			nodes := []*store.Store{storetest.Reopen(t, dsn, store.Options{}), storetest.Reopen(t, dsn, store.Options{})}
			for _, s := range nodes {
				s.SetSteps(1_000, 1_000)
			}
			added := make(chan int64, len(nodes))
			for _, s := range nodes {
				go func() { added <- importAll(t, s, 4_200).Added }()
			}
			if total := <-added + <-added; total != 4_200 {
				t.Errorf("both imports added %d subscribers, want 4200", total)
			}
		})
	}
}

// BenchmarkImport reads and stores a list of a million lines: run it with
// -bench Import -benchtime 1x on an idle machine.
func BenchmarkImport(b *testing.B) {
	const n = 1_000_000
	for _, engine := range storetest.Engines {
		b.Run(string(engine), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := storetest.Open(b, engine, store.Options{})
				b.StartTimer()
				if result := importAll(b, s, n); result.Added != n {
					b.Fatalf("%+v", result)
				}
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
