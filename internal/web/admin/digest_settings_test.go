package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/testkit"
)

// field returns the name of the field of a setting of the digest.
func field(name string) string { return "digests[weekly]." + name }

func TestEditorChangesADigest(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	page := ada.get("/admin/digests/weekly/settings")
	ada.want(page, "The week at the harbour", `value="cron" selected`, "0 8 1 1 *", "As YAML", "name: weekly",
		"No DKIM key signs for gazette.example. Ask the person who runs the server to add one, unless the mail server signs.")
	shown := ada.hidden("revision")

	// The times of a schedule are shown before it is stored.
	page = ada.post("/admin/digests/weekly/settings", "revision", shown, "do", "times", "when", "weekly", "weekday", "5", "time", "07:30", field("timezone"), "Europe/Paris")
	ada.want(page, "not stored yet", "07:30", "the clocks change there")
	if now, err := s.Settings().Load(t.Context()); err != nil || now.Revision != 0 {
		t.Fatalf("the preview stored something: %v", err)
	}

	ada.post("/admin/digests/weekly/settings", "revision", shown, "do", "save", "when", "weekly", "weekday", "5", "time", "07:30",
		field("timezone"), "Europe/Paris", field("title@"), "The week", field("title@+"), "La semaine", field("title+language"), "fr",
		field("max_articles"), "7", field("filter.tags"), "sea, town", field("feedback@shown"), "1", field("feedback"), "yes")
	if ada.code != http.StatusOK || ada.at != "/admin/digests/weekly/settings" {
		t.Fatalf("%d at %s:\n%s", ada.code, ada.at, ada.body)
	}
	ada.want(ada.body, "The settings were saved", "La semaine", "Set here by ada@gazette.example", "The week at the harbour", "30 7 * * 5")
	now, err := s.Settings().Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := now.Config.Digests[0]
	if d.Schedule != "30 7 * * 5" || d.Timezone != "Europe/Paris" || d.Title.In("fr") != "La semaine" || d.MaxArticles != 7 || len(d.Filter.Tags) != 2 || !d.Feedback || len(now.Stored) != 6 {
		t.Errorf("%+v, %d values", d, len(now.Stored))
	}
	ada.want(ada.get("/admin/digests/weekly"), "The week", "07:30 CET")

	ada.post("/admin/digests/weekly/settings", "revision", ada.revision(), "unset", field("schedule"))
	ada.want(ada.body, "The settings were saved", "0 8 1 1 *")
}

// revision returns the revision of the form of the digest's settings.
func (e *editor) revision() string {
	e.get("/admin/digests/weekly/settings")
	return e.hidden("revision")
}

func TestWrongSettingsOfADigestAreShownAndNotStored(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	page := ada.post("/admin/digests/weekly/settings", "revision", ada.revision(), "when", "cron", "cron", "0 25 * * *", field("sender"), "nobody", field("title@"), "Kept <b>")
	if ada.code != http.StatusUnprocessableEntity {
		t.Fatal(ada.code)
	}
	ada.want(page, "Nothing was stored", "“hour” is out of range; use a number from 0 to 23", "it has no @", `value="nobody"`, "Kept &lt;b&gt;")
	if now, err := s.Settings().Load(t.Context()); err != nil || now.Revision != 0 {
		t.Errorf("a wrong form was stored: %+v, %v", now.Stored, err)
	}
	ada.post("/admin/digests/weekly/settings", "revision", "0", field("subject"), "{{.Nothing}}")
	ada.want(ada.body, "Nothing was stored")
	if ada.get("/admin/digests/none/settings"); ada.code != http.StatusNotFound {
		t.Error(ada.code)
	}
}

func TestTwoEditorsOfADigest(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	shown := ada.revision()
	if _, err := s.Settings().Change(t.Context(), 0, "bob@gazette.example", []settings.Change{{Key: field("title"), Value: `"Bob’s title"`}}); err != nil {
		t.Fatal(err)
	}
	page := ada.post("/admin/digests/weekly/settings", "revision", shown, field("title@"), "Ada’s title", field("max_articles"), "9")
	ada.want(page, "bob@gazette.example changed this to “Bob’s title”", "Ada’s title")
	ada.post("/admin/digests/weekly/settings", "revision", ada.hidden("revision"), field("title@"), "Ada’s title", field("max_articles"), "9")
	if now, err := s.Settings().Load(t.Context()); err != nil || now.Config.Digests[0].Title != "Ada’s title" || now.Config.Digests[0].MaxArticles != 9 {
		t.Errorf("%v, %v", now.Config.Digests[0].Title, err)
	}
}

func TestEditorAddsADigest(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.get("/admin/digests/new")
	page := ada.post("/admin/digests/new", "title", "Every month", "sender", "no address", "when", "monthly", "day", "1", "time", "09:00")
	ada.want(page, "it has no @")
	ada.post("/admin/digests/new", "title", "Every month", "sender", "The Gazette <news@gazette.example>", "when", "monthly", "day", "1", "time", "09:00")
	if ada.at != "/admin/digests/every-month/settings" {
		t.Fatalf("%s, %d:\n%s", ada.at, ada.code, ada.body)
	}
	ada.want(ada.body, "It is paused", `value="monthly" selected`)
	ada.want(ada.get("/admin/digests"), "Every month", "Paused")
	ada.get("/admin/digests/every-month/settings")
	ada.post("/admin/digests/every-month/settings", "revision", ada.hidden("revision"), "digests[every-month].status", "active")
	if list := ada.get("/admin/digests"); strings.Contains(list, "Paused") || strings.Count(list, "On schedule") != 2 {
		t.Errorf("the digest is not active:\n%s", list)
	}
}

// TestEditorsCannotChangeWhatOwnersDecide posts keys that the form does not show to an editor.
func TestEditorsCannotChangeWhatOwnersDecide(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	ada, bob := s.owner(), s.bob()
	ada.get("/admin/settings")
	ada.post("/admin/settings", "revision", ada.hidden("revision"), "site.title@", "The Quay Post")
	ada.post("/admin/digests/weekly/settings", "revision", ada.revision(), field("approval"), "two", field("at_deadline"), "hold")
	before, err := s.Settings().Load(t.Context())
	if err != nil || len(before.Stored) != 3 {
		t.Fatalf("%+v, %v", before.Stored, err)
	}
	if bob.want(bob.get("/admin/digests/weekly/settings"), "Owners change how many editors must approve"); strings.Contains(bob.body, field("approval")) {
		t.Error("the form offers the number of approvals to an editor")
	}
	for _, key := range []string{"site.title", "digests[weekly]", field("approval"), field("at_deadline")} {
		if bob.post("/admin/digests/weekly/settings", "revision", bob.revision(), "unset", key); bob.code != http.StatusNotFound {
			t.Errorf("an editor who unsets %s is answered %d", key, bob.code)
		}
	}
	bob.post("/admin/digests/weekly/settings", "revision", bob.revision(), field("approval"), "automatic", field("at_deadline"), "send", "site.title@", "Bob's Post", field("max_articles"), "7")
	bob.want(bob.body, "The settings were saved")
	now, err := s.Settings().Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := now.Config.Digests[0]; d.Approval != "two" || d.AtDeadline != "hold" || d.MaxArticles != 7 || now.Config.Site.Title.String() != "The Quay Post" {
		t.Errorf("%+v, %s", d, now.Config.Site.Title)
	}
}

// TestScheduleShowsOnlyTheFieldsThatItUses chooses each kind of schedule.
func TestScheduleShowsOnlyTheFieldsThatItUses(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	b := testkit.StartBrowser(t)
	s.signUp(b)
	b.Open(s.url + "/admin/digests/new")
	for when, want := range map[string]string{"daily": "time", "workdays": "time", "weekly": "time weekly", "monthly": "time monthly", "cron": "cron"} {
		b.Wait(fmt.Sprintf(`(() => { document.querySelector("#when").value = %q;
			return [...document.querySelectorAll("[data-when]")].filter(e => e.offsetHeight).map(e => e.dataset.when).join(" ") == %q })()`, when, want))
	}
	noProblems(t, b)
}
