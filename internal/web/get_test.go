package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/token"
)

// dump returns all rows of all tables, except poll statistics, which count GET requests.
func dump(t *testing.T, s *store.Store) []string {
	t.Helper()
	ctx, db := t.Context(), s.DB()
	names, err := db.QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('feed_polls', 'probes')")
	if err != nil {
		t.Fatal(err)
	}
	var tables, out []string
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := names.Err(); err != nil || len(tables) < 10 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, table := range tables {
		rows, err := db.QueryContext(ctx, `SELECT * FROM "`+table+`"`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(table, row))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}

// Mail scanners, link previews and prefetching browsers open every link that they see.
func TestGetRequestsChangeNothing(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s, engine, h := handler(t, store.SQLite)
	who := s.subscriber(t, "ada@example.org")
	keys, err := s.store.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	edition, err := engine.SendNow(t.Context(), "weekly", "ada")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.store.CreateLink(t.Context(), store.Link{Purpose: store.SetupLink, Role: "owner"}, 1e12)
	if err != nil {
		t.Fatal(err)
	}
	feedToken, err := s.store.CreateFeedToken(t.Context(), who.ID, "weekly")
	if err != nil {
		t.Fatal(err)
	}
	queue := []string{
		"/", "/healthz", "/readyz", "/robots.txt", "/admin/", "/admin/sign-in", "/admin/welcome/" + link, "/feeds", "/private/" + feedToken + "/feed.xml",
		"/confirm/" + keys.SignConfirm(who.UID, "daily", s.store.Now()), "/unsubscribe/" + keys.Sign(token.Unsubscribe, who.UID, "weekly", edition.ID),
		"/preferences/" + keys.Sign(token.Preferences, who.UID, "", ""), "/editions/" + edition.ID, "/digests/weekly/", "/digests/weekly/?q=ferry", edition.PagePath(),
		"/editions/" + edition.ID + "/" + keys.Sign(token.WebEdition, who.UID, "weekly", edition.ID),
	}
	before := dump(t, s.store)
	address := regexp.MustCompile(`(?:href|src|action)="(?:https://news\.example\.org)?(/[^"#]*)"`)
	seen := map[string]bool{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			w := ask(h, method, path)
			if w.Code >= 500 {
				t.Errorf("%s %s: status %d", method, path, w.Code)
			}
			if method == http.MethodHead || !strings.Contains(w.Header().Get("Content-Type"), "html") {
				continue
			}
			for _, found := range address.FindAllStringSubmatch(w.Body.String(), -1) {
				queue = append(queue, strings.ReplaceAll(found[1], "&amp;", "&"))
			}
		}
	}
	after := dump(t, s.store)
	for _, row := range before {
		if _, still := slices.BinarySearch(after, row); !still {
			t.Errorf("gone: %.300s", row)
		}
	}
	for _, row := range after {
		if _, was := slices.BinarySearch(before, row); !was {
			t.Errorf("new: %.300s", row)
		}
	}
	if len(seen) < 80 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}
