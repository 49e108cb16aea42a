package admin_test

import (
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/image/draw"

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
// light and dark mode. It is a tool (make admin-screenshots) and is skipped otherwise.
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
	s := startSite(t, over(wire), timezone("Europe/Berlin"))
	b := testkit.StartBrowser(t)
	b.SetViewport(1280, 900, false)
	s.signUp(b)
	s.sheet(b, work, out, "dashboard-first-run", "/admin/")
	s.fillForScreenshots()
	articles, err := s.Store.Articles(t.Context(), store.Query{Limit: 1})
	if err != nil || len(articles) == 0 {
		t.Fatal(len(articles), err)
	}
	editions, err := s.Store.Editions(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	of := func(state digest.State, message bool) string {
		i := slices.IndexFunc(editions, func(e store.Edition) bool { return e.State == state && e.IsMessage() == message })
		if i < 0 {
			t.Fatalf("no edition is %s", state)
		}
		return editions[i].ID
	}
	for name, path := range map[string]string{
		"dashboard": "/admin/", "calendar": "/admin/calendar", "calendar-week": "/admin/calendar?week=now", "digests": "/admin/digests", "digest-new": "/admin/digests/new", "digest": "/admin/digests/weekly",
		"send": "/admin/digests/weekly/send", "edition-sent": "/admin/editions/" + of(digest.Sent, false), "edition-draft": "/admin/editions/" + of(digest.Draft, false),
		"compose": "/admin/editions/" + of(digest.Draft, false) + "/compose", "messages": "/admin/messages", "message-new": "/admin/messages/new",
		"articles": "/admin/articles", "article-new": "/admin/articles/new", "article": "/admin/articles/" + articles[0].ID, "article-history": "/admin/articles/" + articles[0].ID + "/history",
		"subscribers": "/admin/subscribers", "subscriber": "/admin/subscribers/8", "subscriber-new": "/admin/subscribers/new", "subscribers-charts": "/admin/subscribers/figures",
		"feeds": "/admin/feeds", "settings": "/admin/settings", "relays": "/admin/settings/relays", "people": "/admin/people", "audit": "/admin/audit", "account": "/admin/account",
	} {
		s.sheet(b, work, out, name, path)
	}
	b.SetViewport(1280, 900, false)
	b.Open(s.url + "/admin/account")
	b.Click(`form[action="/admin/sign-out"] button`)
	b.WaitText("Forgotten your password?")
	s.sheet(b, work, out, "sign-in", "/admin/sign-in")
}

// fillForScreenshots adds subscribers of a year, sent editions, a draft and a message.
func (s *site) fillForScreenshots() {
	s.t.Helper()
	ctx, engine := s.t.Context(), s.newEngine()
	s.addSubscribers(1204)
	random := rand.New(rand.NewPCG(1, 2))
	exec := func(statement string, args ...any) {
		if _, err := s.Store.DB().ExecContext(ctx, statement, args...); err != nil {
			s.t.Fatal(err)
		}
	}
	for id := int64(1); id <= 1204; id++ {
		joined := time.Now().Add(-time.Duration(float64(366*24*time.Hour) * random.Float64() * random.Float64()))
		exec("UPDATE subscribers SET created = $2, consent_at = $2, changed = $2, consent_source = $3 WHERE id = $1", id, joined.UnixMilli(), []string{"form", "form", "import"}[id%3])
		if id%23 == 0 {
			exec("UPDATE subscribers SET state = 'unsubscribed', changed = $2 WHERE id = $1", id, joined.Add(time.Until(joined)/-3).UnixMilli())
		}
	}
	exec("DELETE FROM leases")
	if err := s.Store.UpdateSubscriberFigures(ctx); err != nil {
		s.t.Fatal(err)
	}
	for _, title := range []string{"", "The lighthouse opens again", "Storm warnings, and how to read them"} {
		if title != "" {
			s.put(title)
		}
		sent, err := engine.SendNow(ctx, "weekly", adaEmail)
		if err != nil {
			s.t.Fatal(err)
		}
		s.eventually("the edition to be sent", func() bool {
			counts, err := s.Store.EditionCounts(ctx, sent.Seq)
			return err == nil && counts.Total > 0 && counts.Open() <= counts.Deferred
		})
		for id := range int64(9) {
			if err := s.Store.NoteUnsubscription(ctx, sent.ID, 40+id); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	exec("UPDATE editions SET state = 'sent', finished = $1 WHERE seq = 1", time.Now().UnixMilli())
	s.put("A walk along the new quay")
	s.put("What the tide leaves behind")
	if _, err := engine.Draft(ctx, "weekly", delivery.SendOptions{}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := engine.NewMessage(ctx, "ada", delivery.Message{Audience: digest.Audience{Digests: []string{"weekly"}}, Subject: "We are moving", Text: map[string]string{"": "Our **office** moves to the old customs house."}}); err != nil {
		s.t.Fatal(err)
	}
	hold := store.Hold{Relay: "backup", Kind: store.RelayHeld, Until: time.Now().Add(40 * time.Minute), Reason: "535 5.7.8 the password was refused"}
	if err := s.Store.PutHold(ctx, hold); err != nil {
		s.t.Fatal(err)
	}
}

// sheet writes the pictures of a page side by side to NAME.png. A page that does not exist is left out.
func (s *site) sheet(b *testkit.Browser, work, out, name, path string) {
	s.t.Helper()
	const scale, gap = .42, 10
	var parts []image.Image
	width, height := gap, 0
	for i, screen := range sheetScreens {
		b.SetViewport(screen.width, 900, screen.dark)
		b.Open(s.url + path)
		if b.Text("h1") == "Page not found" {
			return
		}
		shot := fmt.Sprint(name, i)
		b.Screenshot(shot)
		picture := readPicture(s.t, filepath.Join(work, shot+".png"))
		small := image.NewRGBA(image.Rect(0, 0, int(float64(picture.Bounds().Dx())*scale), int(float64(picture.Bounds().Dy())*scale)))
		draw.CatmullRom.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
		parts = append(parts, small)
		width, height = width+small.Bounds().Dx()+gap, max(height, small.Bounds().Dy()+2*gap)
	}
	sheet := image.NewPaletted(image.Rect(0, 0, width, height), sheetPalette(parts))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(color.RGBA{0x9a, 0x98, 0x92, 0xff}), image.Point{}, draw.Src)
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

// sheetPalette returns the most frequent colours of some pictures, so that their file is small.
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
	for _, c := range all[:min(len(all), 170)] {
		out = append(out, c)
	}
	for _, c := range palette.WebSafe {
		if len(out) < 200 {
			out = append(out, c)
		}
	}
	return out
}
