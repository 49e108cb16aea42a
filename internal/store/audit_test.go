package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// audited appends an entry and returns it.
func audited(t *testing.T, s *store.Store, who, action, kind, object string) {
	t.Helper()
	if err := s.AddAudit(t.Context(), store.AuditEntry{Editor: 1, Who: who, Action: action, Kind: kind, Object: object, Network: "192.0.2.0/24"}); err != nil {
		t.Fatal(err)
	}
}

func auditLog(t *testing.T, s *store.Store, f store.AuditFilter) []store.AuditEntry {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	found, err := s.AuditLog(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAuditLogIsFilteredAndPaged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i := range 7 {
			audited(t, s, []string{"ada@example.org", "bob@example.org"}[i%2], []string{"edition.approve", "edition.pause", "article.remove"}[i%3], "edition", fmt.Sprint(i%4))
		}
		all := auditLog(t, s, store.AuditFilter{})
		if len(all) != 7 || all[0].ID < all[6].ID || all[0].Network != "192.0.2.0/24" || all[0].At.IsZero() {
			t.Fatalf("%+v", all)
		}
		for want, f := range map[int]store.AuditFilter{
			4: {Who: "ada@example.org"},
			3: {Action: "edition.approve"},
			2: {Kind: "edition", Object: "1"},
			1: {Who: "bob@example.org", Action: "edition.approve"},
			0: {Who: "ada@example.org", To: all[6].At},
			7: {From: all[6].At, Kind: "edition"},
		} {
			if got := auditLog(t, s, f); len(got) != want {
				t.Errorf("%+v finds %d entries, want %d", f, len(got), want)
			}
		}
		var paged []store.AuditEntry
		f := store.AuditFilter{Limit: 3}
		for {
			page := auditLog(t, s, f)
			if len(page) == 0 {
				break
			}
			paged = append(paged, page...)
			f.Older = page[len(page)-1].Cursor()
		}
		if fmt.Sprint(paged) != fmt.Sprint(all) {
			t.Errorf("in pages: %v\nat once: %v", paged, all)
		}
	})
}

// TestAuditLogCannotBeChanged tries to change and remove entries with SQL.
func TestAuditLogCannotBeChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		audited(t, s, "ada@example.org", "edition.approve", "edition", "1")
		statements := []string{"UPDATE audit_log SET who = 'eve@example.org'", "DELETE FROM audit_log"}
		if s.Engine() == store.Postgres {
			statements = append(statements, "TRUNCATE audit_log")
		}
		for _, statement := range statements {
			if _, err := s.DB().ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "entries of the audit log") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if all := auditLog(t, s, store.AuditFilter{}); len(all) != 1 || all[0].Who != "ada@example.org" {
			t.Errorf("%+v", all)
		}
	})
}

// TestAuditLogIsPrunedAfterAYear stores an old entry and a new one.
func TestAuditLogIsPrunedAfterAYear(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			dsn, now := storetest.DSN(t, engine), time.Now().Add(-2*365*24*time.Hour)
			s := storetest.Reopen(t, dsn, store.Options{Clock: func() time.Time { return now }})
			audited(t, s, "ada@example.org", "edition.approve", "edition", "1")
			now = time.Now()
			audited(t, s, "ada@example.org", "edition.approve", "edition", "2")
			removed, err := s.Prune(t.Context(), store.Retention{Audit: now}) // asks for more than the database permits
			if left := auditLog(t, s, store.AuditFilter{}); err != nil || removed.Audit != 1 || len(left) != 1 || left[0].Object != "2" {
				t.Errorf("removed %+v, %v; left %+v", removed, err, left)
			}
		})
	}
}

// TestAuditLogIsReadByIndex checks that no page reads the whole log.
func TestAuditLogIsReadByIndex(t *testing.T) {
	t.Parallel()
	s := storetest.Reopen(t, storetest.DSN(t, store.SQLite), store.Options{})
	for query, index := range map[string]string{"audit.all": "audit_log_at", "audit.who": "audit_log_who", "audit.action": "audit_log_action", "audit.object": "audit_log_object"} {
		rows, err := s.DB().QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+store.QueryTexts(store.SQLite)[query], 0, 1<<62, 1<<62, 1<<62, "a", "b", "c", "d", 50)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&plan, step)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if text := plan.String(); !strings.Contains(text, "SEARCH audit_log USING INDEX "+index) || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s:\n%s", query, text)
		}
	}
}
