package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/web/admin"
)

// site is a store and the program that serves it.
type site struct {
	dsn, dir   string
	scale      int // the site is this many times smaller
	deliveries int64

	profiling string // address of the listener that serves profiles; empty for none

	db      *store.Store
	service *benchkit.Process
	client  *http.Client
	url     string
}

// settings returns the configuration. Its digests need an approval, so that their schedules send
// nothing.
func (s *site) settings(listen string) string {
	return fmt.Sprintf(`
site: {title: The Bench, description: Pages to measure, url: "http://%[2]s", language: en}
store: {dsn: %[1]q}
server: {listen: "%[2]s"}
feeds:
- {name: harbour, title: The harbour, filter: {tags: [tag 7]}}
digests:
- {name: weekly, title: The week, schedule: "0 8 * * 1", sender: The Bench <news@bench.example>, max_articles: 20, approval: manual}
- {name: daily, title: The day, schedule: "0 7 * * *", sender: The Bench <news@bench.example>, max_articles: 20, approval: manual}
- {name: monthly, title: The month, schedule: "0 9 1 * *", filter: {tags: [tag 7]}, sender: The Bench <news@bench.example>, max_articles: 20, approval: manual}
- {name: staff, title: For the staff, schedule: "0 9 1 1 *", sender: The Bench <news@bench.example>, max_articles: 12, approval: manual}
mail: {postal_address: 1 Bench Street}
delivery: {first_send_check: false}
relays:
- {name: sink, host: 127.0.0.1, port: 1, tls: none, auth: none}
%[3]s
`, s.dsn, listen, s.metrics())
}

func (s *site) metrics() string {
	if s.profiling == "" {
		return ""
	}
	return fmt.Sprintf("metrics: {listen: %q, pprof: true}", s.profiling)
}

// profile writes a CPU profile of the next seconds into a file.
func (s *site) profile(ctx context.Context, name string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.profiling, profiledSeconds), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("no profile: %s", answer.Status)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, answer.Body)
	return errors.Join(err, file.Close())
}

const profiledSeconds = 30

// The account of the bench.
const (
	ownerEmail    = "ada@bench.example"
	ownerPassword = "four random words here"
)

// serve starts the program on the store, and signs in.
func (s *site) serve(ctx context.Context, binary string) error {
	listen, err := benchkit.FreeAddress()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "config.yaml"), []byte(s.settings(listen)), 0o600); err != nil {
		return err
	}
	if s.service, err = benchkit.Start(ctx, s.dir, listen, binary, "serve"); err != nil {
		return err
	}
	s.url = "http://" + listen
	if s.db, err = store.Open(ctx, s.dsn, store.Options{}); err != nil {
		return err
	}
	return s.signIn(ctx)
}

// signIn signs in, and creates the owner at the first time.
func (s *site) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s.client = &http.Client{Jar: jar, Timeout: 5 * time.Minute}
	form, link := url.Values{"email": {ownerEmail}, "password": {ownerPassword}}, s.url+"/admin/sign-in"
	editors, err := s.db.CountEditors(ctx)
	if err == nil && editors == 0 {
		form.Set("name", "Ada")
		link, err = admin.InviteLink(ctx, s.db, s.url, admin.Invitation{Email: ownerEmail, Role: store.OwnerRole})
	}
	if err != nil {
		return err
	}
	answer, err := s.client.PostForm(link, form)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if at := answer.Request.URL.Path; answer.StatusCode != http.StatusOK || at != "/admin/" {
		return fmt.Errorf("the sign-in leads to %s with status %d", at, answer.StatusCode)
	}
	return nil
}

// stop ends the program and closes the store.
func (s *site) stop() {
	var err error
	if s.service != nil {
		err = s.service.Stop()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/admin:", strings.TrimSpace(err.Error()))
	}
}
