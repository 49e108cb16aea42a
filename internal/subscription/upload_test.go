package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// site is the manager of a site with a digest named weekly, and one named daily.
type site struct {
	subscription.Manager
	t *testing.T
}

func newSite(t *testing.T, s *store.Store) *site {
	t.Helper()
	c, err := config.Parse([]byte(`
site: {title: Gazette, url: "https://gazette.example"}
digests:
  - {name: weekly, schedule: "0 8 * * 1", sender: "Gazette <news@gazette.example>"}
  - {name: daily, schedule: "0 8 * * *", sender: "Gazette <news@gazette.example>"}
mail: {postal_address: "1 Quay Street"}
relays: [{name: local, host: 127.0.0.1}]
`), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return &site{subscription.Manager{Store: s, Config: c}, t}
}

const ada = "ada@gazette.example"

// upload stores a file, which must be a list.
func (s *site) upload(data string) store.UploadedList {
	s.t.Helper()
	list, err := s.Upload(s.t.Context(), "list.csv", ada, strings.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// list returns a list as it is now.
func (s *site) list(id string) store.UploadedList {
	s.t.Helper()
	list, err := s.Store.Upload(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// settings import a list into the digest weekly.
func settings() subscription.UploadSettings {
	return subscription.UploadSettings{Digests: []string{"weekly"}, Labels: []string{"fair"}, Consent: "signed up at the fair", By: ada}
}

// chosen returns the meanings that are recognised.
func (s *site) chosen(list store.UploadedList) (out []subscriber.Meaning) {
	s.t.Helper()
	set, err := subscription.SettingsOf(list)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := s.PreviewUpload(s.t.Context(), list, set)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range p.Columns {
		out = append(out, c.Meaning)
	}
	return out
}

// run does the run that waits.
func (s *site) run() {
	s.t.Helper()
	if ran, err := s.RunUpload(s.t.Context(), slog.New(slog.DiscardHandler)); err != nil || !ran {
		s.t.Fatal(ran, err)
	}
}

// check does the dry run of a list.
func (s *site) check(list store.UploadedList, set subscription.UploadSettings) store.UploadedList {
	s.t.Helper()
	stored, err := subscription.SettingsOf(list)
	if err != nil {
		s.t.Fatal(err)
	}
	set.Latin1 = stored.Latin1
	if err := s.CheckUpload(s.t.Context(), list, set, s.chosen(list)); err != nil {
		s.t.Fatal(err)
	}
	s.run()
	return s.list(list.ID)
}

// start imports a list that was checked.
func (s *site) start(list store.UploadedList) store.UploadedList {
	s.t.Helper()
	if err := s.Store.StartUpload(s.t.Context(), list.ID, list.Revision, ada); err != nil {
		s.t.Fatal(err)
	}
	s.run()
	return s.list(list.ID)
}

func (s *site) person(address string) store.ListedSubscriber {
	s.t.Helper()
	p, err := s.Store.SubscriberByAddress(s.t.Context(), subscriber.MustParseAddress(address))
	if err != nil {
		s.t.Fatal(address, err)
	}
	listed, err := s.Store.ListedSubscriber(s.t.Context(), p.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return listed
}

// count returns the number of subscribers.
func (s *site) count() (n int64) {
	s.t.Helper()
	counts, err := s.Store.CountSubscribers(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range counts {
		n += one
	}
	return n
}

func TestUploadedListIsCheckedAndImported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		for _, address := range []string{"old@example.org", "known@example.org", "left@example.org"} {
			n := subscription.NewSubscriber{Address: subscriber.MustParseAddress(address), Digests: []string{"daily"}}
			if address == "known@example.org" {
				n.Digests = []string{"weekly"}
			}
			if _, err := s.Add(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		list := s.upload("Email,Name,UNSUB_TIME,Shoe size\n" +
			"new@example.org,New,,38\nold@example.org,,,\nknown@example.org,,,\nleft@example.org,,2024-05-06 07:08:09,\ngone@example.org,,2024-05-06 07:08:09,\nnew@example.org,,,\nnobody,,,\n")
		want := store.ImportReport{
			ImportResult: store.ImportResult{Lines: 7, Added: 1, Unchanged: 2, Repeated: 1, Lowered: 1, Suppressed: 1, Refused: 1},
			Updated:      2, Recorded: 1, LoweredTo: map[string]int64{"unsubscribed": 1}, RefusedBy: map[string]int64{"address not valid": 1},
		}
		list = s.check(list, settings())
		if list.State != store.UploadChecked || fmt.Sprint(list.Report) != fmt.Sprint(want) || s.count() != 3 || list.Lines != 7 {
			t.Fatalf("after the dry run %+v, %d subscribers", list, s.count())
		}
		list = s.start(list)
		if list.State != store.UploadImported || fmt.Sprint(list.Report) != fmt.Sprint(want) {
			t.Fatalf("after the import %+v", list)
		}
		p := s.person("new@example.org")
		if p.State != subscriber.Active || p.Consent.Source != "import" || p.Consent.Text != "signed up at the fair (recorded by "+ada+")" || !slices.Equal(p.Labels, []string{"fair"}) || len(p.Subscriptions) != 1 {
			t.Errorf("the new subscriber is %+v", p)
		}
		if p := s.person("old@example.org"); len(p.Subscriptions) != 2 || !slices.Equal(p.Labels, []string{"fair"}) {
			t.Errorf("the subscriber of another digest is %+v", p)
		}
		if p := s.person("left@example.org"); p.State != subscriber.Unsubscribed {
			t.Errorf("the subscriber who left is %s", p.State)
		}
		changes, err := st.SubscriberChanges(t.Context(), s.person("old@example.org").ID, 10)
		if err != nil || len(changes) == 0 || changes[0].Who != ada {
			t.Errorf("changes %+v, %v", changes, err)
		}
		refused, err := st.UploadRefusals(t.Context(), list.ID, 0, 10)
		if err != nil || len(refused) != 1 || refused[0].Line != 8 || refused[0].Reason != "address not valid" {
			t.Errorf("refused %+v, %v", refused, err)
		}
	})
}

// TestInterruptedImportContinuesAfterItsLastBatch stops the import after each batch, and loses the lease
// of another run in its middle.
func TestInterruptedImportContinuesAfterItsLastBatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		var data strings.Builder
		data.WriteString("email\n")
		for i := range 2500 {
			fmt.Fprintf(&data, "p%d@example.org\n", i%2400) // the last hundred occur twice
		}
		data.WriteString("nobody\n")
		list := s.check(s.upload(data.String()), settings())
		if err := st.StartUpload(t.Context(), list.ID, list.Revision, ada); err != nil {
			t.Fatal(err)
		}
		claim := func() (store.UploadRun, *subscriber.List) {
			t.Helper()
			jobs, err := st.ClaimJobs(t.Context(), []string{store.UploadJob}, 1, 0)
			if err != nil || len(jobs) != 1 {
				t.Fatal(jobs, err)
			}
			rows, err := subscriber.OpenList(st.UploadFile(t.Context(), list.ID), subscriber.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return store.UploadRun{List: s.list(list.ID), Job: jobs[0]}, rows
		}
		lost, lostRows := claim()
		for batch := int64(1); batch <= 2; batch++ {
			ctx, cancel := context.WithCancel(t.Context())
			run, rows := claim()
			_, err := s.ImportList(ctx, rows, subscription.ListImport{Digests: []string{"weekly"}, Upload: &run, Progress: func(store.ImportResult) { cancel() }})
			if err == nil || s.list(list.ID).Report.Lines != batch*1000 {
				t.Fatalf("batch %d: %v, %+v", batch, err, s.list(list.ID).Report)
			}
		}
		if _, err := s.ImportList(t.Context(), lostRows, subscription.ListImport{Digests: []string{"weekly"}, Upload: &lost}); !errors.Is(err, store.ErrLease) {
			t.Errorf("a run that lost its lease: %v", err)
		}
		s.run()
		list = s.list(list.ID)
		if want := (store.ImportResult{Lines: 2501, Added: 2400, Repeated: 100, Refused: 1}); list.State != store.UploadImported || list.Report.ImportResult != want || s.count() != 2400 {
			t.Errorf("%s, report %+v, want %+v; %d subscribers", list.State, list.Report.ImportResult, want, s.count())
		}
		if refused, err := st.UploadRefusals(t.Context(), list.ID, 0, 10); err != nil || len(refused) != 1 {
			t.Errorf("refused %+v, %v", refused, err)
		}
	})
}

func TestSecondEditorCannotStartOrChangeAList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		list := s.upload("email\nnew@example.org\n")
		first := s.check(list, settings())
		if err := s.CheckUpload(t.Context(), list, settings(), s.chosen(list)); !errors.Is(err, store.ErrUploadChanged) {
			t.Errorf("settings over those of another editor: %v", err)
		}
		if err := st.StartUpload(t.Context(), list.ID, list.Revision, ada); !errors.Is(err, store.ErrUploadChanged) {
			t.Errorf("import with other settings than were shown: %v", err)
		}
		s.start(first)
		if err := st.StartUpload(t.Context(), list.ID, first.Revision, ada); !errors.Is(err, store.ErrUploadChanged) {
			t.Errorf("a second import: %v", err)
		}
		if err := st.RemoveUpload(t.Context(), list.ID); !errors.Is(err, store.ErrUploadChanged) {
			t.Errorf("removed after the import: %v", err)
		}
	})
}

func TestReportNamesWordsReadAsStates(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	list := s.start(s.check(s.upload("email,status\na@example.org,cleaned\nb@example.org,active\nc@example.org,cleaned\n"), settings()))
	want := store.MappedCount{Mapped: subscriber.Mapped{Heading: "status", Value: "cleaned", State: subscriber.Bounced}, Lines: 2}
	if !slices.Contains(list.Report.Values, want) {
		t.Errorf("the report has %+v, want %+v", list.Report.Values, want)
	}
	set, err := subscription.SettingsOf(list)
	if err != nil || len(set.Read) != 2 || set.Read[1].Meaning != subscriber.MeansState {
		t.Errorf("columns %+v, %v", set.Read, err)
	}
}

// TestUnreadFileIsTriedAgain closes the connection to the database while a list is read, and removes a
// digest while another one waits.
func TestUnreadFileIsTriedAgain(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t, store.SQLite, store.Options{})
	s := newSite(t, st)
	list := s.upload("email\nnew@example.org\n")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var input *store.InputError
	if _, err := s.PreviewUpload(ended, list, settings()); errors.As(err, &input) || !errors.Is(err, store.ErrUploadRead) {
		t.Errorf("a file that cannot be read now: %v", err)
	}
	if err := s.CheckUpload(t.Context(), list, settings(), nil); err != nil {
		t.Fatal(err)
	}
	s.Config.Digests = s.Config.Digests[1:]
	s.run()
	if list = s.list(list.ID); list.State != store.UploadFailed || !strings.Contains(list.Problem, "weekly") {
		t.Errorf("with a digest that was removed: %s %q", list.State, list.Problem)
	}
}

func TestErasureRemovesRefusedLinesWithTheAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		list := s.start(s.check(s.upload("email\nnew@example.org\n\"New@example.org, other@example.org\"\nnobody\n"), settings()))
		if err := st.Erase(t.Context(), s.person("new@example.org").ID); err != nil {
			t.Fatal(err)
		}
		refused, err := st.UploadRefusals(t.Context(), list.ID, 0, 10)
		if err != nil || len(refused) != 1 || refused[0].Line != 4 {
			t.Errorf("refused lines after the erasure: %+v, %v", refused, err)
		}
	})
}

// TestFileOfAListIsRemoved checks that the file goes with the import or when it expires, and the refused
// lines after a month.
func TestFileOfAListIsRemoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		parts := func() (n int) {
			t.Helper()
			if err := st.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM uploaded_list_parts").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		list := s.start(s.check(s.upload("email\nnew@example.org\nnobody\n"), settings()))
		if parts() != 0 {
			t.Errorf("the file is kept after the import")
		}
		if _, err := st.DB().ExecContext(t.Context(), "UPDATE uploaded_lists SET expires = 1"); err != nil {
			t.Fatal(err)
		}
		waiting := s.upload("email\nother@example.org\n")
		if err := st.PruneUploads(t.Context()); err != nil || parts() != 1 {
			t.Errorf("%d files, %v; want the one that waits", parts(), err)
		}
		if refused, err := st.UploadRefusals(t.Context(), list.ID, 0, 10); err != nil || len(refused) != 0 || s.list(list.ID).State != store.UploadImported {
			t.Errorf("refused lines %+v, %v", refused, err)
		}
		if _, err := st.DB().ExecContext(t.Context(), "UPDATE uploaded_lists SET expires = 1 WHERE expires > 0"); err != nil {
			t.Fatal(err)
		}
		if err := st.PruneUploads(t.Context()); err != nil || parts() != 0 || s.list(waiting.ID).State != store.UploadRemoved {
			t.Errorf("%d files after they expired, %v, %s", parts(), err, s.list(waiting.ID).State)
		}
		if err := s.CheckUpload(t.Context(), waiting, settings(), nil); err == nil {
			t.Errorf("a removed list can be checked")
		}
		if err := st.RemoveUpload(t.Context(), s.upload("email\nx@example.org\n").ID); err != nil || parts() != 0 {
			t.Errorf("%d files after the removal, %v", parts(), err)
		}
	})
}

// TestListThatIsImportedWhenItExpiresIsComplete removes expired lists at the moment in which their import is
// started.
func TestListThatIsImportedWhenItExpiresIsComplete(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s := newSite(t, st)
		for i := range 20 {
			list := s.check(s.upload(fmt.Sprintf("email\nreader%d@example.org\n", i)), settings())
			if _, err := st.DB().ExecContext(t.Context(), "UPDATE uploaded_lists SET expires = 1 WHERE expires > 0"); err != nil {
				t.Fatal(err)
			}
			pruned := make(chan error, 1)
			go func() { pruned <- st.PruneUploads(t.Context()) }()
			started := st.StartUpload(t.Context(), list.ID, list.Revision, ada)
			if err := <-pruned; err != nil {
				t.Fatal(err)
			}
			if started == nil {
				s.run()
			}
			switch after := s.list(list.ID); {
			case started == nil && after.State == store.UploadImported:
				s.person(fmt.Sprintf("reader%d@example.org", i))
			case !errors.Is(started, store.ErrUploadChanged) || after.State != store.UploadRemoved:
				t.Errorf("the start ended with %v, and the list is %s", started, after.State)
			}
		}
	})
}

func TestColumnsMustBeDecided(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t, store.SQLite, store.Options{})
	s := newSite(t, st)
	const address, ignored = subscriber.MeansAddress, subscriber.MeansNothing
	for name, c := range map[string]struct {
		data   string
		chosen []subscriber.Meaning
		want   string // part of the error
	}{
		"undecided":        {"email,Mail OK? (accept)\na@example.org,no\n", nil, "it may tell who left or who agreed"},
		"decided":          {"email,Mail OK? (accept)\na@example.org,no\n", []subscriber.Meaning{address, subscriber.MeansStays}, ""},
		"not an answer":    {"email,Mail OK? (accept)\na@example.org,no\n", []subscriber.Meaning{address, "whatever"}, "it may tell who left or who agreed"},
		"no address":       {"email,x\na@example.org,no\n", []subscriber.Meaning{ignored, ignored}, "choose the column that holds the email addresses"},
		"two addresses":    {"email,email\na@example.org,b@example.org\n", []subscriber.Meaning{address, address}, "two columns have the same meaning"},
		"repeated heading": {"email,email\na@example.org,b@example.org\n", nil, ""},
		"no header":        {"a@example.org,38,Zürich\n", nil, "column 2"},
		"chosen places":    {"a@example.org,38,Zürich\n", []subscriber.Meaning{address, ignored, ignored}, ""},
		"one column":       {"a@example.org\n", nil, ""},
	} {
		list := s.upload(c.data)
		err := s.CheckUpload(t.Context(), list, settings(), c.chosen)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil {
			continue
		}
		s.run()
		if got := s.list(list.ID); got.State != store.UploadChecked || got.Report.Added+got.Report.Suppressed != 1 {
			t.Errorf("%s: %s, %+v", name, got.State, got.Report)
		}
		if err := st.RemoveUpload(t.Context(), list.ID); err != nil {
			t.Error(err)
		}
	}
	without := settings()
	without.Consent = "  "
	list := s.upload("email\na@example.org\n")
	if err := s.CheckUpload(t.Context(), list, without, nil); err == nil || !strings.Contains(err.Error(), "where and how these people agreed") {
		t.Errorf("without consent: %v", err)
	}
	without = settings()
	without.Topics = []string{"boats"}
	var unknown *subscription.TopicError
	if err := s.CheckUpload(t.Context(), list, without, nil); !errors.As(err, &unknown) {
		t.Errorf("with an unknown topic: %v", err)
	}
}

func TestHostileFilesAreRefusedOrReadInPart(t *testing.T) {
	t.Parallel()
	s := newSite(t, storetest.Open(t, store.SQLite, store.Options{}))
	for name, data := range map[string]string{
		"empty": "", "spreadsheet": "PK\x03\x04zip", "huge line": strings.Repeat("x", 1<<20), "columns": strings.Repeat("a,", 300) + "\n", "NUL bytes": "em\x00ail\na@example.org\n",
	} {
		_, err := s.Upload(t.Context(), "x.csv", ada, strings.NewReader(data))
		var input *store.InputError
		if !errors.As(err, &input) {
			t.Errorf("%s: %v", name, err)
		}
	}
	recent, err := s.Store.Uploads(t.Context(), 10)
	if err != nil || slices.ContainsFunc(recent, func(l store.UploadedList) bool { return l.State != store.UploadRemoved }) {
		t.Errorf("refused files are kept: %+v, %v", recent, err)
	}
	for name, c := range map[string]struct {
		data           string
		added, refused int64
	}{
		"Latin-1":            {"email;name\na@example.org;J\xf6rg\n", 1, 0},
		"mixed encodings":    {"email;name\nb@example.org;Jörg\nc@example.org;J\xf6rg\n", 1, 1},
		"a huge line within": {"email,name\nd@example.org,D\ne@example.org," + strings.Repeat("x", 1<<20) + "\nf@example.org,F\n", 2, 1},
		"NUL within":         {"email,name\ng@example.org,G\x00\nh@example.org,H\n", 1, 1},
		"formula":            {"email,name\n'+i@example.org,\"=HYPERLINK(\"\"x\"\")\"\n", 1, 0},
		"old line ends":      {"email,name\rj@example.org,J\rk@example.org,K\r", 2, 0},
		"too many fields":    {"email,name\nl@example.org,L,more,fields\n", 0, 1},
		"UTF-16":             {"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00m\x00@\x00e\x00x\x00.\x00o\x00r\x00g\x00\n\x00", 1, 0},
	} {
		list := s.check(s.upload(c.data), settings())
		if list.State != store.UploadChecked || list.Report.Added != c.added || list.Report.Refused != c.refused {
			t.Errorf("%s: %s %q, %+v", name, list.State, list.Problem, list.Report)
		}
		if err := s.Store.RemoveUpload(t.Context(), list.ID); err != nil {
			t.Error(err)
		}
	}
}
