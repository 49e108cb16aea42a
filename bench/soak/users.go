package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// articles are the articles that were written, by the mark in their titles.
type articles struct {
	mu        sync.Mutex
	published map[string]bool
	withdrawn map[string]bool // published before
	drafts    int
}

// writeArticles writes an article every second or so, some of them drafts, and makes some published ones
// drafts.
func (s *site) writeArticles(ctx context.Context) {
	a := &s.articles
	a.published, a.withdrawn = map[string]bool{}, map[string]bool{}
	for n := 0; ctx.Err() == nil; n++ {
		mark := fmt.Sprintf("ARTICLE-%d-", n)
		front := "title: News " + mark
		switch {
		case n%5 == 4:
			front = fmt.Sprintf("title: %s %d\ndraft: true", withheldMark, n)
		case n%9 == 8: // withdraw an earlier one
			old := fmt.Sprintf("ARTICLE-%d-", n-6)
			if a.published[old] && s.writeArticle(n-6, "title: News "+old+"\ndraft: true") == nil {
				a.mark(a.withdrawn, old)
			}
		}
		if err := s.writeArticle(n, front); err != nil {
			s.breach("article %d: %v", n, err)
			return
		}
		if strings.Contains(front, mark) {
			a.mark(a.published, mark)
		} else {
			a.drafts++
		}
		sleep(ctx, min(max(s.time/120, 500*time.Millisecond), 5*time.Second))
	}
}

func (a *articles) mark(set map[string]bool, mark string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	set[mark] = true
}

// writeArticle writes a file as editors should: complete, under its name at once.
func (s *site) writeArticle(n int, front string) error {
	path := filepath.Join(s.dir, "articles", fmt.Sprintf("news-%d.md", n))
	text := fmt.Sprintf("---\n%s\ndate: %s\n---\n%s", front, time.Now().UTC().Format(time.RFC3339), strings.Repeat("The ferry waited for a school bus. ", 20))
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// unsubscribeSome uses the one-click addresses of mails that have arrived.
func (s *site) unsubscribeSome(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second}
	for ctx.Err() == nil {
		sleep(ctx, min(max(s.time/100, 500*time.Millisecond), 10*time.Second))
		to, link := s.mails.anyLink()
		if to == "" {
			continue
		}
		answer, err := client.Post(link, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		s.mails.unsubscribed(to, err == nil && answer.StatusCode == http.StatusOK)
	}
}

// feedReaders counts the answers to feed readers.
type feedReaders struct {
	mu      sync.Mutex
	answers map[string]int
}

func (f *feedReaders) count(answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answers == nil {
		f.answers = map[string]int{}
	}
	f.answers[answer]++
}

func (f *feedReaders) all() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.answers)
}

// pollFeeds reads the feeds with conditional requests and checks each document.
func (s *site) pollFeeds(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second}
	tags := map[feed.Format]string{}
	for ctx.Err() == nil {
		for _, format := range feed.Formats {
			tag, data, status := s.poll(ctx, client, format, tags[format])
			switch status {
			case http.StatusOK:
				tags[format] = tag
				s.checkFeed(format, data)
			case http.StatusNotModified, http.StatusServiceUnavailable, 0:
			default:
				s.breach("/%s: status %d", format, status)
			}
		}
		sleep(ctx, 300*time.Millisecond)
	}
}

// poll requests a feed. The status is 0 if there is no whole answer.
func (s *site) poll(ctx context.Context, client *http.Client, format feed.Format, tag string) (newTag string, data []byte, status int) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://"+s.web+"/"+string(format), nil)
	if err != nil {
		return "", nil, 0
	}
	if tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	answer, err := client.Do(request)
	if err != nil {
		s.readers.count("no answer")
		return "", nil, 0
	}
	defer answer.Body.Close()
	if data, err = io.ReadAll(answer.Body); err != nil {
		s.readers.count("cut off")
		return "", nil, 0
	}
	s.readers.count(fmt.Sprint(answer.StatusCode))
	return answer.Header.Get("Etag"), data, answer.StatusCode
}

// checkFeed checks that a document is valid and holds no draft.
func (s *site) checkFeed(format feed.Format, data []byte) {
	for _, problem := range feedrules.Problems(format, data) {
		s.breach("/%s: %s", format, problem)
	}
	if strings.Contains(string(data), withheldMark) {
		s.breach("/%s has an article that is a draft", format)
	}
}
