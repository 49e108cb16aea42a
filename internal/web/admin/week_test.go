package admin_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/tidings-press/tidings/internal/testkit"
)

// week is a site in the first week of its editors, Ada and Bob, each with a browser.
type week struct {
	*site
	ada, bob *testkit.Browser
	offset   *atomic.Int64 // of the store's clock
	draft    string        // id of the first edition
}

// firstSubscribers is how many people get the first edition.
const firstSubscribers = 25

// TestWeekOfEditorsInBrowser follows two editors from the first start of a site on a Monday to the
// archived edition on Friday. Everything is done in Chromium, and the time between the days passes on
// the store's clock.
func TestWeekOfEditorsInBrowser(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := startWeek(t)
	w.nameSite()
	w.addDigest()
	w.writeArticles()
	w.addPeople()
	w.moveTo(2, 8, 1) // Wednesday: the edition is drafted
	w.readProof()
	w.composeDraft()
	w.changeByBob()
	w.moveTo(4, 8, 5) // Friday, after the deadline
	w.approveAndUndo()
	w.sendEdition()
	w.readMails()
	w.readArchive()
	noProblems(t, w.ada)
	for _, problem := range w.bob.ConsoleErrors() {
		if !strings.Contains(problem, "409") { // of the change that came too late
			t.Errorf("the second browser's console: %s", problem)
		}
	}
}

// startWeek starts a site without settings on a Monday morning, creates the owner, and opens the
// first page.
func startWeek(t *testing.T) *week {
	t.Helper()
	w := &week{offset: &atomic.Int64{}}
	now := time.Now().UTC()
	monday := now.Truncate(24*time.Hour).AddDate(0, 0, (8-int(now.Weekday()))%7).Add(9 * time.Hour)
	w.offset.Store(int64(monday.Sub(now)))
	clock := func() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }
	w.site = startSite(t, firstStart(clock), perSecond(20))
	w.ada = testkit.StartBrowser(t)
	w.bob = w.ada.NewSession()
	w.ada.SetViewport(1280, 900, false)
	w.bob.SetViewport(1280, 900, false)
	w.signUp(w.ada)
	return w
}

// moveTo sets the clock to a time of a day, where Monday is 0.
func (w *week) moveTo(day, hour, minute int) {
	w.t.Helper()
	now := w.Store.Now().UTC()
	midnight := now.Truncate(24*time.Hour).AddDate(0, 0, -(int(now.Weekday())+6)%7)
	at := midnight.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	if at.Before(now) {
		w.t.Fatalf("the clock is at %v already, after %v", now, at)
	}
	w.offset.Add(int64(at.Sub(now)))
}

// set sets fields of the open page, given as selectors and values in turn.
func (w *week) set(b *testkit.Browser, fields ...string) {
	w.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		b.Wait(fmt.Sprintf(setField, fields[i], fields[i+1]))
	}
}

// nameSite follows the first step of the checklist.
func (w *week) nameSite() {
	w.ada.WaitText("From here to your first edition")
	w.ada.Screenshot("week-checklist")
	w.ada.Click(`.checklist a.primary[href^="/admin/settings"]`)
	w.ada.WaitText("Name of the publication")
	w.set(w.ada, `[name="site.title@"]`, "The Harbour Gazette", "#mail-postal-address", "The Harbour Gazette, 1 Quay Street")
	w.ada.Click(`.actionbar button.main`)
	w.ada.WaitText("The settings were saved.")
	w.ada.Open(w.url + "/admin/")
	w.ada.Wait(`document.querySelector(".checklist li.done h3").innerText.includes("Name your site")`)
}

// addDigest adds a digest that is sent on Fridays and drafted two days before.
func (w *week) addDigest() {
	w.ada.Open(w.url + "/admin/digests/new")
	w.set(w.ada, "#title", "Weekly", "#sender", "The Gazette <news@gazette.example>", "#when", "weekly", "#weekday", "5", "#time", "08:00")
	w.ada.Click(`.actionbar button.main`)
	w.ada.WaitText("Draft editions ahead by")
	w.set(w.ada, "#digests-weekly-approval", "two", "#digests-weekly-draft-before", "2d", "#digests-weekly-at-deadline", "hold", "#digests-weekly-status", "active")
	w.ada.Click(`.actionbar button[value=save]`)
	w.ada.WaitText("The settings were saved.")
	w.ada.Screenshot("week-digest")
}

// writeArticles writes one article with images, three short ones, and one that appears on Tuesday.
func (w *week) writeArticles() {
	b := w.ada
	b.Open(w.url + "/admin/articles/new")
	b.Type("#title", "The lighthouse")
	w.set(b, "#text", "It is *white*, and **open**.\n\n- Monday\n- Friday\n\n")
	b.Wait(`location.pathname.length > "/admin/articles/new".length && !document.querySelector("form#article").action.includes("/new")`) // saved by itself
	image := base64.StdEncoding.EncodeToString(picture(w.t))
	for n, way := range []string{"drop", "paste"} {
		b.Wait(`(document.querySelector("#text").setSelectionRange(1e6, 1e6), true)`)
		b.Wait(fmt.Sprintf(giveImage, image, way))
		b.Wait(fmt.Sprintf(`document.querySelector("#text").value.split("![](/media/").length == %d`, n+2))
	}
	b.Wait(`((t => { t.value = t.value.replaceAll("![](", "![A boat](") ; t.dispatchEvent(new Event("input", {bubbles: true})) })(document.querySelector("#text")), true)`)
	b.Wait(`document.querySelector(".preview-frame iframe:not(.loading)").contentDocument.querySelectorAll("img[alt='A boat']").length == 2`)
	b.Click("#publish")
	b.WaitText("Published.")
	for _, title := range []string{"Tides of the week", "The ferry is late", "Gulls"} {
		w.writeArticle(title, "")
	}
	tuesday := w.Store.Now().UTC().Add(24*time.Hour).Format("2006-01-02") + "T10:00"
	w.writeArticle("The market on Tuesday", tuesday)
	if page := w.public("/articles/the-market-on-tuesday"); strings.Contains(page, "news of the town") {
		w.t.Error("the scheduled article is on the site already")
	}
}

// writeArticle publishes an article; at a time, if there is one.
func (w *week) writeArticle(title, at string) {
	w.ada.Open(w.url + "/admin/articles/new")
	w.set(w.ada, "#title", title, "#text", title+": news of the town.", "[name=published]", at)
	w.ada.Click("#publish")
	if at == "" {
		w.ada.WaitText("Published.")
	} else {
		w.ada.WaitText("Scheduled. It appears by itself at its time.")
	}
}

// addPeople adds a subscriber, imports a list of others, and invites Bob.
func (w *week) addPeople() {
	b := w.ada
	b.Open(w.url + "/admin/subscribers/new")
	w.set(b, "[name=address]", "reader0@example.org", "[name=name]", "Reader 0", "[name=words]", "Yes, send me the weekly.", "[name=source]", "a letter", "[name=consented]", w.Store.Now().UTC().Format("2006-01-02"))
	b.Wait(`document.querySelector("[name=digest]").checked = true`)
	b.Click("[name=how][value=agreed]")
	b.Click("button.main")
	b.WaitText("reader0@example.org")
	w.importList()
	b.Open(w.url + "/admin/people")
	w.set(b, "#invited", bobEmail)
	b.Click(`form[action="/admin/account/invite"] button`)
	b.WaitText("Invitation for " + bobEmail)
	link, err := b.Evaluate(`document.querySelector("input.copy").value`)
	if err != nil {
		w.t.Fatal(err)
	}
	w.bob.Open(strings.Trim(link, `"`))
	w.bob.Type("[name=name]", "Bob")
	w.bob.Type("[name=password]", "four random words here")
	w.bob.Click("button.main")
	w.bob.WaitText("Next editions")
}

// importList uploads a list with the other subscribers, has it checked, and imports it.
func (w *week) importList() {
	var list strings.Builder
	list.WriteString("email,name\n")
	for i := 1; i < firstSubscribers; i++ {
		fmt.Fprintf(&list, "reader%d@example.org,Reader %d\n", i, i)
	}
	file := filepath.Join(w.t.TempDir(), "readers.csv")
	if err := os.WriteFile(file, []byte(list.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	b := w.ada
	b.Open(w.url + "/admin/subscribers/import")
	b.Choose("#file", file)
	b.Click("form.form button.main")
	b.WaitText("Choose what each column contains.")
	b.Wait(`document.querySelector("[name=digest]").checked = true`)
	w.set(b, "[name=consent]", "asked in a letter")
	b.Click("[name=agreed]")
	b.Click(".list-form button.main")
	b.WaitText("Next step: import it")
	b.Screenshot("week-import")
	b.Click(`form[action$="/start"] button.main`)
	b.WaitText("The list was imported")
}

// readProof opens the link of the proof that both editors got by mail.
func (w *week) readProof() {
	path := w.proofPath(bobEmail)
	w.proofPath(adaEmail)
	all, err := w.Store.Editions(w.t.Context(), "weekly", 1)
	if err != nil || len(all) != 1 || len(all[0].Articles) != 5 {
		w.t.Fatalf("drafted %+v, %v", all, err)
	}
	w.draft = all[0].ID
	w.bob.Open(w.url + path)
	w.bob.WaitText("The market on Tuesday")
	w.bob.WaitText("0 of 2 editors approved this version")
	w.bob.Screenshot("week-proof")
}

// order is the titles on the page for composing, in their order.
const order = `[...document.querySelectorAll("[data-order] > li strong")].map(e => e.innerText).join(" | ")`

// waitOrder waits until the stored draft and the page have an order.
func (w *week) waitOrder(b *testkit.Browser, titles []string) {
	w.t.Helper()
	b.Wait(fmt.Sprintf(`document.readyState == "complete" && document.querySelector("[role=status]") && %s == %q`, order, strings.Join(titles, " | ")))
	var ids []string
	for _, title := range titles {
		ids = append(ids, w.articleID(title))
	}
	if got := w.stored(w.draft).Edits.Order; !slices.Equal(got, ids) {
		w.t.Errorf("the stored order is %q, want %q", got, ids)
	}
}

// composeDraft orders the draft with the mouse and the keyboard, chooses the lead and a section, leaves
// an article out, and writes the texts.
func (w *week) composeDraft() {
	b := w.ada
	b.Open(w.url + "/admin/editions/" + w.draft + "/compose")
	b.Wait(`document.querySelectorAll("[data-order] > li").length == 5`)
	got, err := b.Evaluate(order)
	if err != nil {
		w.t.Fatal(err)
	}
	titles := strings.Split(strings.Trim(got, `"`), " | ")
	want := []string{titles[3], titles[0], titles[1], titles[2], titles[4]}
	b.Wait(`document.querySelector("[data-order] > li").draggable`) // by the script
	b.Drag("[data-order] > li:nth-child(4)", "[data-order] > li:nth-child(1)", .1)
	w.waitOrder(b, want)
	w.pressButton(b, "Move up: "+want[2])
	want[1], want[2] = want[2], want[1]
	w.waitOrder(b, want)
	b.Press(kb.Tab)
	if got, err := b.Evaluate(`document.activeElement.closest("[data-id]")?.dataset.id`); got != `"`+w.articleID(want[1])+`"` || err != nil {
		w.t.Errorf("after an article was moved with the keyboard, Tab leads to %s, %v", got, err)
	}
	at := func(title string) string { return fmt.Sprintf(`[data-order] > [data-id="%s"]`, w.articleID(title)) }
	b.Click(at("The lighthouse") + " button[value=lead]")
	b.Wait(`document.querySelector("[data-order] .tag")`)
	b.Click(at("Tides of the week") + " details:nth-of-type(1) summary")
	b.Type(at("Tides of the week")+" [name=section]", "On the water")
	b.Click(at("Tides of the week") + " button[value=place]")
	b.Wait(`[...document.querySelectorAll("h3")].some(e => e.innerText == "On the water")`)
	b.Click(at("Gulls") + " details:nth-of-type(2) summary")
	b.Type(at("Gulls")+" [name=reason]", "next week")
	b.Click(at("Gulls") + " button[value=exclude]")
	b.WaitText("back in the queue: next week")
	w.set(b, "[name=subject]", "A white lighthouse", "[name=intro]", "Good *morning*.")
	b.Click("#texts-form button.main")
	b.Wait(`document.querySelector("[name=intro]").defaultValue == "Good *morning*."`)
	b.Screenshot("week-compose")
}

// pressButton presses a button with the keyboard alone.
func (w *week) pressButton(b *testkit.Browser, label string) {
	w.t.Helper()
	for range 80 {
		if got, err := b.Evaluate(`document.activeElement.ariaLabel`); err == nil && got == `"`+label+`"` {
			b.Press(kb.Enter)
			return
		}
		b.Press(kb.Tab)
	}
	w.t.Fatalf("80 times Tab do not lead to %q", label)
}

// changeByBob lets Bob change the intro of a page that Ada has changed meanwhile. He sees both versions, and
// what he typed is kept.
func (w *week) changeByBob() {
	page := w.url + "/admin/editions/" + w.draft + "/compose"
	w.bob.Open(page)
	w.bob.WaitText("Texts")
	w.set(w.ada, "[name=intro]", "Good *morning*, all.")
	w.ada.Click("#texts-form button.main")
	w.ada.Wait(`document.querySelector("[name=intro]").defaultValue == "Good *morning*, all."`)
	w.set(w.bob, "[name=intro]", "Good *morning*, sailors.")
	w.bob.Click("#texts-form button.main")
	w.bob.WaitText("Nothing was changed")
	w.bob.WaitText("Stored at present: Good *morning*, all.")
	w.bob.Screenshot("week-conflict")
	w.bob.Click("#texts-form button.main")
	w.bob.WaitText("The draft was changed.")
	if got := w.stored(w.draft).Edits.Intro[""]; got != "Good *morning*, sailors." {
		w.t.Errorf("the intro is %q", got)
	}
}

// approve approves the draft on its page.
func (w *week) approve(b *testkit.Browser, want string) {
	w.t.Helper()
	b.Open(w.url + "/admin/editions/" + w.draft)
	b.Click("#draft form[action$='/approve'] button")
	b.WaitText(fmt.Sprintf("Send this edition to %d subscribers?", firstSubscribers))
	b.Click("#approve")
	b.WaitText(want)
}

// approveAndUndo approves the edition after its deadline, and undoes it before the first mail.
func (w *week) approveAndUndo() {
	w.eventually("the edition is held at its deadline", func() bool { return w.stored(w.draft).Held != "" })
	w.approve(w.bob, "Your approval is recorded.")
	w.approve(w.ada, "Sending starts in")
	w.ada.Screenshot("week-undo")
	w.ada.Click("#undo")
	w.ada.WaitText("Undone. The edition is a draft again, and no email was sent.")
	w.offset.Add(int64(time.Minute)) // nothing is sent, however long it takes
	w.approve(w.ada, "Your approval is recorded.")
	w.approve(w.bob, "Sending starts in")
	if n := w.readersMailed(); n != 0 {
		w.t.Errorf("%d subscribers got mail before the end of the time to undo", n)
	}
}

// sendEdition watches the progress until all mails are sent.
func (w *week) sendEdition() {
	w.ada.Open(w.url + "/admin/editions/" + w.draft)
	w.ada.Wait(`window.stayedOpen = document.querySelector("[data-events]")`)
	w.offset.Add(int64(31 * time.Second))
	w.ada.Wait(`+document.querySelector("#count-sent")?.innerText > 2`)
	w.ada.Screenshot("week-sending")
	w.ada.Wait(fmt.Sprintf(`window.stayedOpen && document.querySelector("#count-sent").innerText == "%d"`, firstSubscribers))
	w.ada.Wait(`document.querySelector(".status .state.sent")`)
	w.ada.Screenshot("week-sent")
}

// readMails reads the mails of all subscribers.
func (w *week) readMails() {
	count := map[string]int{}
	for _, m := range w.inbox.Mails() {
		if !strings.HasPrefix(m.To[0], "reader") {
			continue
		}
		count[strings.Join(m.To, " ")]++
		read, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			w.t.Fatal(err)
		}
		if got := read.Header.Get("Subject"); got != "A white lighthouse" {
			w.t.Errorf("the subject of the mail to %s is %q", m.To, got)
		}
		to, err := read.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != m.To[0] || read.Header.Get("List-Unsubscribe-Post") == "" {
			w.t.Errorf("the header of the mail to %s is %v, %v", m.To, read.Header, err)
		}
		parts := w.parts(read)
		for _, one := range []string{"text/plain", "text/html"} {
			body := parts[one]
			// The last mention of each: the preview text of the inbox names them too.
			lead, section, others := strings.LastIndex(body, "The lighthouse"), strings.LastIndex(strings.ToLower(body), "on the water"), strings.LastIndex(body, "The ferry is late")
			if lead < 0 || section < lead || others < lead || !strings.Contains(body, "sailors") || strings.Contains(body, "Gulls") {
				w.t.Errorf("the %s part to %s: lead at %d, section at %d, another article at %d:\n%s", one, m.To, lead, section, others, body)
			}
		}
	}
	if len(count) != firstSubscribers {
		w.t.Errorf("%d subscribers got mail, want %d", len(count), firstSubscribers)
	}
	for i := range firstSubscribers {
		if address := fmt.Sprintf("reader%d@example.org", i); count[address] != 1 {
			w.t.Errorf("%s got %d mails", address, count[address])
		}
	}
}

// parts returns the decoded parts of a mail by media type.
func (w *week) parts(m *mail.Message) map[string]string {
	w.t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		w.t.Fatalf("the mail is %s, %v", kind, err)
	}
	out := map[string]string{}
	for reader := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			w.t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		out[kind] = string(body)
	}
}

// readArchive opens the page of the edition as a reader.
func (w *week) readArchive() {
	reader := w.ada.NewSession()
	reader.Open(w.url + "/digests/weekly/")
	reader.Click(fmt.Sprintf("main a[href=%q]", w.stored(w.draft).PagePath()))
	reader.WaitText("A white lighthouse")
	reader.WaitText("Good morning, sailors.")
	reader.Wait(`!document.body.innerText.includes("Gulls") && !document.body.innerText.includes("reader")`)
	reader.Screenshot("week-archive")
	noProblems(w.t, reader)
}
