// Command years simulates a daily digest for years on a SQLite store, with the default retention, and
// prints for each year the size of the store and the processor time of a day's work. It uses the functions of the
// store that a node uses, except that outcomes are recorded by one statement a day instead of by SMTP:
//
//	go run ./bench/years                                  ten years, 1,000 subscribers
//	go run ./bench/years -subscribers 10000 -years 2      the first two years with 10,000
//	go run ./bench/years -max 1000 -check                 exits with 1 if the store ends above 1,000 MB, or slower
//
// A day is one new article with a picture, an edition of it for all subscribers, a feed of 50 articles and a run of
// the maintenance. Processor time is measured instead of time, since it depends little on what else the machine does.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

type options struct {
	years, days, subscribers int
	keep                     int // days for which deliveries are kept
	max                      int64
	check                    bool
}

func main() {
	o := options{keep: config.Default().Retention.Deliveries}
	flag.IntVar(&o.years, "years", 10, "years to simulate")
	flag.IntVar(&o.days, "days", 365, "days of a year, fewer for a short run")
	flag.IntVar(&o.subscribers, "subscribers", 1000, "subscribers of the digest")
	flag.IntVar(&o.keep, "keep", o.keep, "days for which deliveries are kept")
	flag.Int64Var(&o.max, "max", 0, "with -check, the most MB of the store at the end; 0 for any")
	flag.BoolVar(&o.check, "check", false, "exit with 1 if the store ends larger than -max, keeps more deliveries than it should, grows faster in later years, or if a day of the last year takes more than twice as long as one of the second")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/years:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	began := time.Now()
	years, err := simulate(ctx, o, os.Stdout)
	if err == nil {
		fmt.Printf("\n%d days in %s\n", o.years*o.days, time.Since(began).Round(time.Second))
	}
	if err == nil && o.check {
		err = errors.Join(checkSizes(years, o), checkTimes(years))
	}
	return err
}

// The parts of a day's work that are measured.
const (
	composing = iota // choose the articles, draft and approve an edition
	recording        // of all outcomes
	reading          // the articles of a feed
	pruning          // the maintenance of a day
	parts
)

// result is what a year ends with.
type result struct {
	size, log  int64 // bytes of the store at its end, and the most of its log
	deliveries int64 // in the store
	medians    [parts]time.Duration
	longest    time.Duration // of the maintenance: on some days it searches for unused media
}

// simulation is a store whose clock it moves.
type simulation struct {
	options
	store *store.Store
	path  string
	now   time.Time
	text  *rand.Rand
}

// simulate simulates the years, and prints a line for each.
func simulate(ctx context.Context, o options, out io.Writer) (years []result, err error) {
	dir, err := os.MkdirTemp("", "tidings-years-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s := &simulation{options: o, path: filepath.Join(dir, "tidings.db"), now: time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC), text: rand.New(rand.NewPCG(1, 2))}
	opts := store.Options{Durability: store.Normal, Clock: func() time.Time { return s.now }}
	if _, err := store.Migrate(ctx, "sqlite:"+s.path, opts); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, "sqlite:"+s.path, opts); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	if err := s.addSubscribers(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%d subscribers, %d days a year, deliveries kept for %d days; processor time of a median day\n\n", o.subscribers, o.days, o.keep)
	fmt.Fprintln(out, "| year | store | log | deliveries | compose | record | feed | maintenance | longest |\n|---|---|---|---|---|---|---|---|---|")
	for year := range o.years {
		r, err := s.year(ctx, year)
		if err != nil {
			return years, err
		}
		years = append(years, r)
		fmt.Fprintf(out, "| %d | %.1f MB | %.1f MB | %d", year+1, float64(r.size)/1e6, float64(r.log)/1e6, r.deliveries)
		for _, d := range append(r.medians[:], r.longest) {
			fmt.Fprintf(out, " | %.1f ms", float64(d.Microseconds())/1000)
		}
		fmt.Fprintln(out, " |")
	}
	return years, nil
}

// checkSizes checks that retention bounds the store: it has the deliveries of the days for which they are
// kept, and from then on grows by the same in each year, by articles and pages.
func checkSizes(years []result, o options) error {
	last := years[len(years)-1]
	if o.max > 0 && last.size > o.max*1e6 {
		return fmt.Errorf("the store ends with %.1f MB, more than %d", float64(last.size)/1e6, o.max)
	}
	// An edition that ended exactly so many days ago is still kept.
	if most := int64(o.keep+1) * int64(o.subscribers); last.deliveries > most {
		return fmt.Errorf("the store ends with %d deliveries, more than the %d of %d days", last.deliveries, most, o.keep)
	}
	full := (o.keep+o.days)/o.days + 1 // years until it has grown by a whole year without more deliveries
	if len(years) <= full {
		return nil
	}
	grown := func(year int) int64 { return years[year].size - years[year-1].size }
	if now, before := grown(len(years)-1), grown(full); now*4 > before*5 {
		return fmt.Errorf("the store grew by %d bytes in year %d and by %d in the last", before, full+1, now)
	}
	return nil
}

// checkTimes compares a day of the last year with one of the second.
func checkTimes(years []result) error {
	var second, last time.Duration
	for i := range parts {
		second, last = second+years[min(1, len(years)-1)].medians[i], last+years[len(years)-1].medians[i]
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

// year simulates a year.
func (s *simulation) year(ctx context.Context, year int) (r result, err error) {
	var took [parts][]time.Duration
	for day := range s.days {
		if err := s.day(ctx, year*s.days+day, &r, &took); err != nil {
			return r, err
		}
	}
	for i := range took {
		slices.Sort(took[i])
		r.medians[i] = took[i][len(took[i])/2]
	}
	r.longest = took[pruning][s.days-1]
	r.size = fileSize(s.path)
	err = s.store.DB().QueryRowContext(ctx, "SELECT count(*) FROM deliveries").Scan(&r.deliveries)
	return r, err
}

// day simulates a day.
func (s *simulation) day(ctx context.Context, number int, r *result, took *[parts][]time.Duration) error {
	if err := s.addArticle(ctx, number); err != nil {
		return err
	}
	began := processorTime()
	done := func(part int) {
		now := processorTime()
		took[part] = append(took[part], now-began)
		began = now
	}
	e, err := s.compose(ctx, number)
	if err != nil {
		return err
	}
	done(composing)
	if err := s.record(ctx, e); err != nil {
		return err
	}
	done(recording)
	if _, err := s.store.Articles(ctx, store.Query{Limit: 50, AsOf: s.now}); err != nil {
		return err
	}
	done(reading)
	r.log = max(r.log, fileSize(s.path+"-wal"))
	s.now = s.now.Add(24 * time.Hour)
	if err := s.maintain(ctx); err != nil {
		return err
	}
	done(pruning)
	return nil
}

// processorTime returns how long this process has used processors.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
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
	waiting, err := s.store.WaitingArticles(ctx, store.QueueQuery{Digest: "daily", Now: s.now, Limit: 20, WithoutHTML: true, Remember: true})
	if err == nil && len(waiting) != 1 {
		err = fmt.Errorf("day %d: %d articles wait, want 1", number, len(waiting))
	}
	if err != nil {
		return store.Edition{}, err
	}
	if _, err := s.store.ArticlesByID(ctx, []string{waiting[0].ID}); err != nil {
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

// maintain removes what is older than the retention.
func (s *simulation) maintain(ctx context.Context) error {
	ago := func(days int) time.Time { return s.now.AddDate(0, 0, -days) }
	r := config.Default().Retention
	_, err := s.store.Prune(ctx, store.Retention{
		Deliveries: ago(s.keep), Feedback: ago(r.Feedback), Jobs: ago(r.Jobs), Audit: ago(r.Audit), Revisions: ago(r.Revisions), Media: ago(r.Media),
	})
	if err == nil {
		_, err = s.store.TruncateLog(ctx)
	}
	return err
}

// fileSize returns the size of a file in bytes, 0 if it does not exist.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
