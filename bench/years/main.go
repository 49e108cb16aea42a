// Command years simulates a daily digest for years on a SQLite store, with the default retention, and
// prints for each year the size of the store and the time of a day's work. It uses the functions of the
// store that a node uses, except that outcomes are recorded by one statement a day instead of by SMTP:
//
//	go run ./bench/years                                  ten years, 1,000 subscribers
//	go run ./bench/years -subscribers 10000 -years 2      the first two years with 10,000
//	go run ./bench/years -max 1000 -check                 exits with 1 if the store ends above 1,000 MB, or slower
//
// A day is one new article with a picture, an edition of it for all subscribers, a feed of 50 articles and a run of
// the maintenance.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

type options struct {
	years, days, subscribers int
	max                      int64
	check                    bool
}

func main() {
	var o options
	flag.IntVar(&o.years, "years", 10, "years to simulate")
	flag.IntVar(&o.days, "days", 365, "days of a year, fewer for a short run")
	flag.IntVar(&o.subscribers, "subscribers", 1000, "subscribers of the digest")
	flag.Int64Var(&o.max, "max", 0, "with -check, the most MB of the store at the end; 0 for any")
	flag.BoolVar(&o.check, "check", false, "exit with 1 if the store ends larger than -max, or a day of the last year takes more than twice as long as one of the second")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/years:", err)
		os.Exit(1)
	}
}

// The parts of a day's work that are measured.
const (
	composing = iota // choose the articles, draft and approve an edition
	recording        // of all outcomes
	reading          // the articles of a feed
	pruning          // the maintenance of a day
	parts
)

// simulation is a store whose clock it moves.
type simulation struct {
	options
	store *store.Store
	path  string
	now   time.Time
	text  *rand.Rand
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "tidings-years-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &simulation{options: o, path: filepath.Join(dir, "tidings.db"), now: time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC), text: rand.New(rand.NewPCG(1, 2))}
	opts := store.Options{Durability: store.Normal, Clock: func() time.Time { return s.now }}
	if _, err := store.Migrate(ctx, "sqlite:"+s.path, opts); err != nil {
		return err
	}
	if s.store, err = store.Open(ctx, "sqlite:"+s.path, opts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	if err := s.addSubscribers(ctx); err != nil {
		return err
	}
	fmt.Printf("%d subscribers, %d days a year, retention of the defaults\n\n", o.subscribers, o.days)
	fmt.Println("| year | store | log | deliveries | compose | record | feed | maintenance |\n|---|---|---|---|---|---|---|---|")
	var medians [][parts]time.Duration
	for year := range o.years {
		took, wal, err := s.year(ctx, year)
		if err != nil {
			return err
		}
		medians = append(medians, took)
		var deliveries int64
		if err := s.store.DB().QueryRowContext(ctx, "SELECT count(*) FROM deliveries").Scan(&deliveries); err != nil {
			return err
		}
		fmt.Printf("| %d | %.1f MB | %.1f MB | %d", year+1, megabytes(s.path), wal, deliveries)
		for _, d := range took {
			fmt.Printf(" | %.1f ms", float64(d.Microseconds())/1000)
		}
		fmt.Println(" |")
	}
	return s.verdict(medians)
}

// verdict checks the size at the end and the times of the last year.
func (s *simulation) verdict(medians [][parts]time.Duration) error {
	if !s.check {
		return nil
	}
	if size := megabytes(s.path); s.max > 0 && size > float64(s.max) {
		return fmt.Errorf("the store ends with %.1f MB, more than %d", size, s.max)
	}
	var second, last time.Duration
	for i := range parts {
		second, last = second+medians[min(1, len(medians)-1)][i], last+medians[len(medians)-1][i]
	}
	if last > 2*second {
		return fmt.Errorf("a day took %v in the second year and %v in the last", second, last)
	}
	return nil
}

func (s *simulation) addSubscribers(ctx context.Context) error {
	var list strings.Builder
	list.WriteString("address,name\n")
	for i := range s.subscribers {
		fmt.Fprintf(&list, "reader%d@example.org,Reader %[1]d\n", i)
	}
	rows, err := subscriber.OpenList(strings.NewReader(list.String()), subscriber.ListOptions{})
	if err != nil {
		return err
	}
	got, err := s.store.ImportSubscribers(ctx, rows.Rows(), store.ImportOptions{Digests: []string{"daily"}, State: subscriber.Active})
	if err == nil && got.Added != int64(s.subscribers) {
		err = fmt.Errorf("%d of %d subscribers were added", got.Added, s.subscribers)
	}
	return err
}

// year simulates a year. It returns the median of each part of a day, and the most MB of the log.
func (s *simulation) year(ctx context.Context, year int) (medians [parts]time.Duration, wal float64, err error) {
	var took [parts][]time.Duration
	for day := range s.days {
		began := time.Now()
		done := func(part int) {
			took[part] = append(took[part], time.Since(began))
			began = time.Now()
		}
		if err := s.addArticle(ctx, year*s.days+day); err != nil {
			return medians, 0, err
		}
		began = time.Now()
		e, err := s.compose(ctx, year*s.days+day)
		if err != nil {
			return medians, 0, err
		}
		done(composing)
		if err := s.record(ctx, e); err != nil {
			return medians, 0, err
		}
		done(recording)
		if _, err := s.store.Articles(ctx, store.Query{Limit: 50, AsOf: s.now}); err != nil {
			return medians, 0, err
		}
		done(reading)
		wal = max(wal, megabytes(s.path+"-wal"))
		s.now = s.now.Add(24 * time.Hour)
		if err := s.maintain(ctx); err != nil {
			return medians, 0, err
		}
		done(pruning)
	}
	for i := range took {
		slices.Sort(took[i])
		medians[i] = took[i][len(took[i])/2]
	}
	return medians, wal, nil
}

// words returns a text of about size bytes that is unlike those of other days.
func (s *simulation) words(size int) string {
	var out strings.Builder
	for out.Len() < size {
		fmt.Fprintf(&out, "<p>%x %x, a paragraph of the digest with some words.</p>\n", s.text.Uint64(), s.text.Uint32())
	}
	return out.String()
}

func (s *simulation) addArticle(ctx context.Context, number int) error {
	name := fmt.Sprintf("day-%04d", number)
	data := []byte(s.words(2000))
	picture := article.Medium{Name: fmt.Sprintf("%x.png", sha256.Sum256(data)), Type: "image/png", Data: data, Width: 10, Height: 10}
	a := article.Article{
		Source: name + ".md", Slug: name, Title: "The news of " + name, Summary: "A summary.", HTML: s.words(8000) + `<img src="/media/` + picture.Name + `" alt="">`, Language: "en",
		Published: s.now, Updated: s.now, Status: article.Published, Hash: name,
	}
	_, err := s.store.PutArticle(ctx, &a, nil, []article.Medium{picture})
	return err
}

// compose chooses the articles that wait, drafts an edition of them and approves it.
func (s *simulation) compose(ctx context.Context, number int) (store.Edition, error) {
	waiting, err := s.store.WaitingArticles(ctx, store.QueueQuery{Digest: "daily", Now: s.now, Limit: 20})
	if err == nil && len(waiting) != 1 {
		err = fmt.Errorf("day %d: %d articles wait, want 1", number, len(waiting))
	}
	if err != nil {
		return store.Edition{}, err
	}
	id := fmt.Sprintf("edition-%04d", number)
	e := store.Edition{Edition: digest.Edition{
		ID: id, Digest: "daily", Number: number + 1, ScheduledFor: s.now.Format(time.DateOnly), Subject: "The day", Articles: []string{waiting[0].ID}, Created: s.now,
	}}
	if e, err = s.store.CreateDraft(ctx, e, nil); err != nil {
		return e, err
	}
	groups, err := s.store.PreferenceGroups(ctx, "daily")
	if err != nil {
		return e, err
	}
	f := store.Frozen{Groups: groups, Choice: make([]int, len(groups)), ChunkSize: 500, Articles: e.Articles}
	if _, err := f.Add(digest.Variant{HTML: s.words(20_000), Text: s.words(8000)}); err != nil {
		return e, err
	}
	return s.store.Approve(ctx, e, f)
}

// record stores what a node stores of mails that were accepted.
func (s *simulation) record(ctx context.Context, e store.Edition) error {
	at := s.now.UnixMilli()
	for _, statement := range []string{
		fmt.Sprintf(`UPDATE deliveries SET state = 'sent', tries = 1, attempt = %d, code = 250, reply = '2.0.0 Ok: queued as 4XyZ1234567890', relay = 'primary',
			first_try = %d, at = %[2]d WHERE edition = %d`, s.text.Int64(), at, e.Seq),
		fmt.Sprintf("UPDATE chunks SET state = 'done', sent = total WHERE edition = %d", e.Seq),
		fmt.Sprintf("UPDATE editions SET state = 'sent', started = %d, finished = %[1]d WHERE seq = %d", at, e.Seq),
	} {
		if _, err := s.store.DB().ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// maintain removes what is older than the default retention.
func (s *simulation) maintain(ctx context.Context) error {
	ago := func(days int) time.Time { return s.now.AddDate(0, 0, -days) }
	r := config.Default().Retention
	_, err := s.store.Prune(ctx, store.Retention{
		Deliveries: ago(r.Deliveries), Feedback: ago(r.Feedback), Jobs: ago(r.Jobs), Audit: ago(r.Audit), Revisions: ago(r.Revisions), Media: ago(r.Media),
	})
	if err == nil {
		_, err = s.store.TruncateLog(ctx)
	}
	return err
}

// megabytes returns the size of a file, 0 if it does not exist.
func megabytes(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}
