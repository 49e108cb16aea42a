package subscription_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestUploadsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	for i := range store.MaxUploads + 1 {
		_, err := s.Upload(t.Context(), "x.csv", ada, strings.NewReader("email\na@example.org\n"))
		if (err != nil) != (i == store.MaxUploads) {
			t.Fatalf("file %d: %v", i+1, err)
		}
	}
	if testing.Short() {
		return // what follows writes a file of 64 MB
	}
	s = newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	large := bytes.Repeat([]byte("a@example.org\n"), store.MaxUploadBytes/14+1)
	if _, err := s.Upload(t.Context(), "x.csv", ada, bytes.NewReader(large)); err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Errorf("a file that is too large: %v", err)
	}
}

// TestListsOfOtherSystemsAreRecognised uploads sample lists if they are at hand.
func TestListsOfOtherSystemsAreRecognised(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "cases", "30-lists", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Skip("SKIPPED: the sample lists are not beside this checkout (../shared/cases/30-lists)")
	}
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list := s.check(s.upload(string(data)), settings())
		if list.State != store.UploadChecked || list.Report.Lines == 0 {
			t.Errorf("%s: %s %q, %+v", filepath.Base(file), list.State, list.Problem, list.Report)
		}
		if err := s.Store.RemoveUpload(t.Context(), list.ID); err != nil {
			t.Error(err)
		}
	}
}

// TestLargeListIsImported imports 100,000 lines on SQLite and 10,000 on
// PostgreSQL, and 3,000 in short tests.
func TestLargeListIsImported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		n := map[store.Engine]int{store.SQLite: 100_000, store.Postgres: 10_000}[st.Engine()]
		if testing.Short() {
			n = 3000
		}
		s := newSite(t, st)
		var data bytes.Buffer
		data.WriteString("email,name,status\n")
		for i := range n {
			fmt.Fprintf(&data, "person%d@example.org,Person %d,active\n", i, i)
		}
		began := time.Now()
		list := s.upload(data.String())
		list = s.start(s.check(list, settings()))
		if list.Report.Added != int64(n) || s.count() != int64(n) {
			t.Errorf("%+v, %d subscribers", list.Report, s.count())
		}
		t.Logf("%d lines uploaded, checked and imported in %v", n, time.Since(began).Round(time.Millisecond))
	})
}
