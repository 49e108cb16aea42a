package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// The size of the site. Subscribers and articles came in steps over two years.
const (
	allSubscribers = 1_000_000
	allArticles    = 100_000
	allEditions    = 500
	fillSteps      = 50
	fillTime       = 2 * 365 * 24 * time.Hour
)

func (s *site) subscribers() int { return allSubscribers / s.scale }
func (s *site) articles() int    { return allArticles / s.scale }
func (s *site) editions() int    { return max(allEditions/s.scale, 10) }

// fill fills the store if it is empty. The clock of the store is set to the time of each step.
func (s *site) fill(ctx context.Context) error {
	var clock atomic.Int64
	now := time.Now()
	clock.Store(now.Add(-fillTime).UnixMilli())
	db, err := store.Open(ctx, s.dsn, store.Options{Durability: store.Normal, Clock: func() time.Time { return time.UnixMilli(clock.Load()) }})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.DB().QueryRowContext(ctx, "SELECT count(*) FROM deliveries").Scan(&s.deliveries); err != nil || s.deliveries > 0 {
		return err
	}
	var importing, putting time.Duration
	for step := range fillSteps {
		clock.Store(now.Add(-fillTime / fillSteps * time.Duration(fillSteps-step)).UnixMilli())
		begin := time.Now()
		if err := s.importPart(ctx, db, step); err != nil {
			return err
		}
		importing += time.Since(begin)
		begin = time.Now()
		if err := s.putPart(ctx, db, step); err != nil {
			return err
		}
		putting += time.Since(begin)
	}
	clock.Store(now.UnixMilli())
	begin := time.Now()
	if err := s.fillEditions(ctx, db); err != nil {
		return err
	}
	if err := db.UpdateSubscriberFigures(ctx); err != nil {
		return err
	}
	if db.Engine() == store.Postgres { // as autovacuum does by itself after some minutes
		if _, err := db.DB().ExecContext(ctx, "VACUUM ANALYZE"); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%s: imported the subscribers in %.0f s, stored the articles in %.0f s, and the editions in %.0f s\n",
		db.Engine(), importing.Seconds(), putting.Seconds(), time.Since(begin).Seconds())
	return nil
}

var (
	firstNames = strings.Fields(`Ada Anna Ben Carla Chloé David Elena Émile Fatima Félix Greta Hugo Ines Jonas Julia Karim Lea Luca Marie Max
		Mira Noah Nora Oskar Paul Rosa Samir Sofia Theo Yara Zoé Jürgen`)
	lastNames = strings.Fields(`Arnold Bauer Becker Blanc Brunner Costa Dubois Ferrari Fischer Fournier Garcia Huber Jansen Keller Klein Lambert Lange Laurent
		Lefèvre Martin Meier Moreau Müller Novak Petit Richter Rossi Schmidt Simon Vogel Weber Winter`)
	mailHosts = []string{"gmail.example", "gmail.example", "gmail.example", "outlook.example", "outlook.example", "web.example", "orange.example", "mail.example", "firm.example", "school.example"}
)

// importPart imports the subscribers of a step: nine of ten are active, some have labels and topics.
func (s *site) importPart(ctx context.Context, db *store.Store, step int) error {
	n := s.subscribers() / fillSteps
	people := func(yield func(subscriber.Row, error) bool) {
		for i := step * n; i < (step+1)*n; i++ {
			row, err := makeSubscriber(i)
			if !yield(row, err) {
				return
			}
		}
	}
	result, err := db.ImportSubscribers(ctx, iter.Seq2[subscriber.Row, error](people), store.ImportOptions{State: subscriber.Active})
	if err == nil && int(result.Added+result.Suppressed) != n {
		err = fmt.Errorf("imported %d of %d subscribers", result.Added, n)
	}
	return err
}

func makeSubscriber(i int) (subscriber.Row, error) {
	random := rand.New(rand.NewPCG(uint64(i), 3))
	first, last := firstNames[random.IntN(len(firstNames))], lastNames[random.IntN(len(lastNames))]
	address, err := subscriber.ParseAddress(fmt.Sprintf("%s.%s%d@%s", article.Slugify(first), article.Slugify(last), i, mailHosts[random.IntN(len(mailHosts))]))
	row := subscriber.Row{Line: i + 1, Address: address, Name: first + " " + last, MailLanguage: []string{"en", "fr", "de"}[random.IntN(3)], Digests: []string{"weekly"}}
	row.Consent.Source = []string{"form", "form", "import", "shop"}[random.IntN(4)]
	if i%3 == 0 {
		row.Digests = append(row.Digests, "daily")
	}
	if i%5 == 0 {
		row.Digests = append(row.Digests, "monthly")
		row.Labels = []string{fmt.Sprint("source ", random.IntN(20))}
	}
	if i%1000 == 0 {
		row.Digests = append(row.Digests, "staff")
	}
	if i%4 == 0 {
		row.TopicsOf = map[string][]string{"weekly": {"all", []string{"tag 3", "tag 4", "tag 5"}[random.IntN(3)]}}
	}
	switch n := random.IntN(1000); {
	case n < 60:
		row.State = subscriber.Unsubscribed
	case n < 85:
		row.State = subscriber.Bounced
	case n < 95:
		row.State = subscriber.Pending
	case n < 98:
		row.State = subscriber.Complained
	}
	return row, err
}

// putPart stores the articles of a step.
func (s *site) putPart(ctx context.Context, db *store.Store, step int) error {
	n := s.articles() / fillSteps
	return benchkit.PutArticles(ctx, db, n, func(i int) article.Article {
		a := benchkit.MakeArticle(step*n+i, db.Now())
		a.Published = db.Now().Add(-time.Duration(n-i) * fillTime / fillSteps / time.Duration(n))
		a.Updated = a.Published
		return a
	})
}
