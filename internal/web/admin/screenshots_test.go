package admin_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/draw"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/writing"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// sheetsFolder is the environment variable with the folder that TestAdminScreenshots writes to.
const sheetsFolder = "TIDINGS_ADMIN_SHEETS"

// sheetScreens are the pictures of a page, from left to right.
var sheetScreens = []struct {
	width int64
	dark  bool
}{{1280, false}, {1280, true}, {375, false}, {375, true}}

// TestAdminScreenshots writes one picture of each page of the admin: on a desktop and a phone, in
// light and dark mode. It is a tool (make admin-screenshots) and is skipped otherwise; with
// -run TestAdminScreenshots/feeds it draws that page alone.
func TestAdminScreenshots(t *testing.T) {
	out := os.Getenv(sheetsFolder)
	if out == "" {
		t.Skip("set " + sheetsFolder + " to a folder")
	}
	work := t.TempDir()
	t.Setenv("TIDINGS_SCREENSHOTS", work)
	wire := testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Reply: "550 5.1.1 unknown user", Match: "reader7"}, {At: sink.AtRcpt, Reply: "452 4.2.2 mailbox full", Match: "reader33@"},
	}})
	s := startSite(t, over(wire), timezone("Europe/Berlin"), with(screenshotFeeds))
	b := testkit.StartBrowser(t)
	visitor := b.NewSession()
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	t.Run("dashboard-first-run", func(*testing.T) { s.sheet(b, work, out, "dashboard-first-run", "/admin/") })
	ids := s.fillForScreenshots()
	beforeDraft := []string{"send", "digest", "digest-preview", "calendar-next"} // the last is like calendar
	for _, name := range beforeDraft[:3] {
		i := slices.IndexFunc(adminPages, func(p adminPage) bool { return p.name == name })
		t.Run(name, func(*testing.T) { s.sheet(b, work, out, name, adminPages[i].path) })
	}
	all := strings.NewReplacer(append(ids, s.draftForScreenshots(wire)...)...)
	for _, page := range adminPages {
		if slices.Contains(beforeDraft, page.name) {
			continue
		}
		t.Run(page.name, func(*testing.T) {
			tab := b
			if page.signedOut {
				tab = visitor
			}
			s.sheet(tab, work, out, page.name, all.Replace(page.path))
		})
	}
	t.Run("quarantine", func(*testing.T) {
		s.quarantine()
		s.sheet(b, work, out, "quarantine", "/admin/quarantine")
	})
}

// screenshotFeeds are feeds beside the one with all articles.
const screenshotFeeds = `
feeds:
  - {name: all, title: The Harbour Gazette, description: Everything we write.}
  - {name: harbour, title: From the harbour, description: "Boats, tides and the people who wait for them.", filter: {tags: [harbour]}}
`

// fillForScreenshots adds subscribers of a year, articles and sent editions. It returns what replaces the
// placeholders in the paths of adminPages.
func (s *site) fillForScreenshots() []string {
	s.t.Helper()
	s.addSubscribers(1204)
	s.ageSubscribers()
	var sent []store.Edition
	for _, title := range []string{"", "The lighthouse opens again", "Storm warnings, and how to read them"} {
		if title != "" {
			s.put(title)
		}
		sent = append(sent, s.sendForScreenshots())
	}
	s.exec("UPDATE editions SET state = 'sent', finished = $1 WHERE seq = 1", time.Now().UnixMilli())
	written := s.writeForScreenshots()
	s.recordDiagnosis()
	invitation := s.invite("kim@gazette.example")
	s.put("What the tide leaves behind")
	for _, e := range []store.AuditEntry{
		{Action: "article.publish", Kind: "article", Object: "01HARBOUR"}, {Action: "edition.approve", Kind: "edition", Object: sent[2].ID},
		{Action: "subscriber.edit", Kind: "subscriber", Object: "8"}, {Action: "settings.change", Kind: "settings", Object: "site.title", Detail: "The Harbour Gazette"},
	} {
		e.Editor, e.Who, e.Network, e.Request = 1, adaEmail, "192.0.2.0/24", "qv3lef3h4"
		if err := s.Store.AddAudit(s.t.Context(), e); err != nil {
			s.t.Fatal(err)
		}
	}
	address, err := s.Store.CreateLink(s.t.Context(), store.Link{Purpose: store.AddressLink, Editor: 1, Email: "ada.harbour@gazette.example"}, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{"{address}", "/admin/address/" + address, "{sent}", sent[0].ID, "{written}", written, "{imported}", s.articleID("The ferry that waited"), "{subscriber}", "8", "{list}", s.uploadedList(), "{invitation}", strings.TrimPrefix(invitation, s.url)}
}

// draftForScreenshots adds a draft and a message, and stops the mail server.
func (s *site) draftForScreenshots(wire *testkit.SMTPServer) []string {
	s.t.Helper()
	ctx := s.t.Context()
	draft := s.startDrafting("two")
	message, err := s.newEngine().NewMessage(ctx, "ada", delivery.Message{Audience: digest.Audience{Digests: []string{"weekly"}}, Subject: "We are moving", Text: map[string]string{"": "Our **office** moves to the old customs house.\n\nThe door is blue. [How to find us](https://gazette.example/office)"}})
	if err != nil {
		s.t.Fatal(err)
	}
	hold := store.Hold{Relay: "inbox", Kind: store.RelayHeld, Until: time.Now().Add(40 * time.Minute), Reason: "421 4.7.0 too many connections, try again later"}
	if err := s.Store.PutHold(ctx, hold); err != nil {
		s.t.Fatal(err)
	}
	return []string{"{draft}", draft.ID, "{message}", message.ID, "{proof}", proofPath(s.t, wire.Mails, adaEmail), "{next}", draft.SendAt.Format("2006-01")}
}

func (s *site) exec(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.Store.DB().ExecContext(s.t.Context(), statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

// ageSubscribers spreads the subscribers over a year, and lets some leave.
func (s *site) ageSubscribers() {
	s.t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for id := int64(1); id <= 1204; id++ {
		joined := time.Now().Add(-time.Duration(float64(366*24*time.Hour) * random.Float64() * random.Float64()))
		s.exec("UPDATE subscribers SET created = $2, consent_at = $2, changed = $2, consent_source = $3 WHERE id = $1", id, joined.UnixMilli(), []string{"form", "form", "import"}[id%3])
		if id%23 == 0 {
			s.exec("UPDATE subscribers SET state = 'unsubscribed', changed = $2 WHERE id = $1", id, joined.Add(time.Until(joined)/-3).UnixMilli())
		}
	}
	for id, name := range []string{"Ines Okafor", "Jonah Reyes", "Camille Durand", "Lotte Brandt", "Tom Ashdown", "Marit Sunde", "Aki Sato", "Layla Mansour"} {
		s.exec("UPDATE subscribers SET name = $2 WHERE id % 8 = $1", id, name)
	}
	for _, table := range []string{"leases", "subscriber_totals", "subscriber_days"} {
		s.exec("DELETE FROM " + table)
	}
	if err := s.Store.UpdateSubscriberFigures(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// sendForScreenshots sends an edition, of which some mails are retried, and notes who unsubscribed by it.
func (s *site) sendForScreenshots() store.Edition {
	s.t.Helper()
	sent, err := s.newEngine().SendNow(s.t.Context(), "weekly", adaEmail)
	if err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the edition to be sent", func() bool {
		counts, err := s.Store.EditionCounts(s.t.Context(), sent.Seq)
		return err == nil && counts.Total > 0 && counts.Open() <= counts.Deferred
	})
	for id := range int64(9) {
		if err := s.Store.NoteUnsubscription(s.t.Context(), sent.ID, 40+id); err != nil {
			s.t.Fatal(err)
		}
	}
	return sent
}

// writeForScreenshots returns the id of an article that was published and changed once.
func (s *site) writeForScreenshots() string {
	s.t.Helper()
	const text = "On Sunday the ropes came off the **new quay**. It is four hundred steps long, and the gulls were first.\n\n## From the crane to the light\n\nThe walk begins at the old crane. Nobody lifts anything with it now, but it still turns with the wind.\n\n- benches: eleven\n- lamps: six\n- places to buy coffee: one, until four\n"
	w := writing.New(s.Store, s.Config)
	saved, err := w.Save(s.t.Context(), writing.Change{Author: adaEmail, Written: article.Written{Title: "A walk along the new quay", Text: strings.Replace(text, "four hundred", "three hundred", 1)}}, false)
	if err == nil {
		saved, err = w.Publish(s.t.Context(), writing.Change{ID: saved.Article, Base: saved.Number, Author: bobEmail, Written: article.Written{Title: "A walk along the new quay", Text: text, Summary: "Four hundred steps, eleven benches and one cup of coffee.", Tags: []string{"harbour", "walks"}, Language: "en"}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return saved.Article
}

// waitForFrames waits until the frames of the page are loaded.
func (s *site) waitForFrames(b *testkit.Browser) {
	b.Wait(`[...document.querySelectorAll("iframe[src]")].every(f => f.loading == "lazy" || performance.getEntriesByName(f.src).some(r => r.responseEnd > 0))`)
	b.Wait(`[...document.querySelectorAll(".preview-frame iframe:not(.loading)")].every(f => f.contentDocument?.body?.children.length)`)
}

// sheet writes the pictures of a page side by side to NAME.png.
func (s *site) sheet(b *testkit.Browser, work, out, name, path string) {
	s.t.Helper()
	const scale, gap = .42, 10
	var parts []image.Image
	width, height := gap, 0
	for i, screen := range sheetScreens {
		b.SetViewport(screen.width, 900, screen.dark)
		b.Open(s.url + path)
		s.waitForFrames(b)
		shot := fmt.Sprint(name, i)
		b.Screenshot(shot)
		picture := readPicture(s.t, filepath.Join(work, shot+".png"))
		small := image.NewRGBA(image.Rect(0, 0, int(float64(picture.Bounds().Dx())*scale), int(float64(picture.Bounds().Dy())*scale)))
		draw.CatmullRom.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
		parts = append(parts, small)
		width, height = width+small.Bounds().Dx()+gap, max(height, small.Bounds().Dy()+2*gap)
	}
	sheet := image.NewPaletted(image.Rect(0, 0, width, height), sheetPalette(parts))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(sheetBackground), image.Point{}, draw.Src)
	x := gap
	for _, part := range parts {
		draw.Draw(sheet, part.Bounds().Add(image.Pt(x, gap)), part, image.Point{}, draw.Src)
		x += part.Bounds().Dx() + gap
	}
	file, err := os.Create(filepath.Join(out, name+".png"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(file, sheet); err != nil {
		s.t.Fatal(err)
	}
}

func readPicture(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// sheetBackground is the color behind the pictures of a sheet.
var sheetBackground = color.RGBA{0x9a, 0x98, 0x92, 0xff}

// sheetPalette returns the most frequent colors of some pictures, so that their file is small.
func sheetPalette(parts []image.Image) color.Palette {
	counts := map[color.RGBA]int{}
	for _, part := range parts {
		for y := range part.Bounds().Dy() {
			for x := range part.Bounds().Dx() {
				c := color.RGBAModel.Convert(part.At(x, y)).(color.RGBA)
				counts[c]++
			}
		}
	}
	var all []color.RGBA
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return counts[b] - counts[a] })
	out := color.Palette{}
	for _, c := range all[:min(len(all), 110)] {
		out = append(out, c)
	}
	// The edges of letters are mixtures of the most frequent colors.
	const mixed = 8
	for i, one := range all[:min(len(all), mixed)] {
		for _, other := range all[:i] {
			for part := 1; part < 5; part++ {
				mix := func(a, b uint8) uint8 { return uint8((int(a)*part + int(b)*(5-part)) / 5) }
				out = append(out, color.RGBA{mix(one.R, other.R), mix(one.G, other.G), mix(one.B, other.B), 0xff})
			}
		}
	}
	return append(out, sheetBackground)
}
