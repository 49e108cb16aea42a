package admin_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/writing"
)

// public returns the body of a public page, or its status if that is not 200.
func (s *site) public(path string) string {
	s.t.Helper()
	e := s.visitor()
	body := e.get(path)
	if e.code != http.StatusOK {
		return http.StatusText(e.code)
	}
	return body
}

// upload posts a form with a file.
func (e *editor) upload(path, field, name string, data []byte, form ...string) string {
	e.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(form); i += 2 {
		_ = w.WriteField(form[i], form[i+1])
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := e.client.Post(e.site+path, w.FormDataContentType(), &body)
	return e.read(answer, err)
}

func picture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// writtenArticle returns the id of an article with two versions.
func (s *site) writtenArticle(title string) string {
	s.t.Helper()
	w := writing.New(s.Store, s.Config)
	saved, err := w.Save(s.t.Context(), writing.Change{Author: adaEmail, Written: article.Written{Title: title, Text: "It was closed.\n\nTomorrow it opens."}}, false)
	if err == nil {
		saved, err = w.Publish(s.t.Context(), writing.Change{ID: saved.Article, Base: saved.Number, Author: adaEmail, Written: article.Written{Title: title, Text: "It was closed.\n\nToday it opened.", Tags: []string{"Harbour"}}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return saved.Article
}

func TestArticleIsWrittenPublishedAndUnpublished(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.want(e.get("/admin/articles/new"), "Not saved yet", `value="Ada"`)
	page := e.post("/admin/articles/new", "title", "The harbour reopens", "text", "It was *closed*.", "tags", "Harbour, Boats", "authors", "Ada", "base", "0")
	path := e.at
	e.want(page, "Readers do not see the changes", "Draft", `value="Harbour, Boats"`, "It was *closed*.", "There is no summary")
	if got := s.public("/articles/the-harbour-reopens"); got != "Not Found" {
		t.Fatalf("readers see the draft: %s", got)
	}
	page = e.post(path+"/publish", "title", "The harbour reopens", "text", "It is *open*.", "tags", "Harbour", "summary", "At last.", "base", e.hidden("base"))
	e.want(page, "Published.", `class="state published"`, `href="/articles/the-harbour-reopens"`)
	e.want(s.public("/articles/the-harbour-reopens"), "It is <em>open</em>.")
	s.eventually("the entry of the feed", func() bool { return strings.Contains(s.public("/feed.xml"), "The harbour reopens") })
	page = e.post(path+"/unpublish", "base", e.hidden("base"))
	e.want(page, "The article is a draft again", `class="state draft"`)
	s.eventually("the page to disappear", func() bool { return s.public("/articles/the-harbour-reopens") == "Not Found" })
	e.want(e.get(path+"/history"), "unpublished", "last published", "Compared with the version of")
}

func TestScheduledArticleShowsItsTimeInTheSitesTimezone(t *testing.T) {
	t.Parallel()
	s := startSite(t, timezone("Asia/Tokyo"))
	e := s.owner()
	year := time.Now().Year() + 1
	at := time.Date(year, 5, 1, 8, 0, 0, 0, time.FixedZone("", 9*3600))
	page := e.post("/admin/articles/new/publish", "title", "Later", "text", "x", "published", at.Format("2006-01-02T15:04"))
	e.want(page, "Scheduled. It appears by itself", `class="state scheduled"`, "08:00 JST", `value="`+at.Format("2006-01-02T15:04")+`"`)
	e.want(e.post("/admin/articles/new", "title", "Never", "published", "tomorrow"), "tomorrow", "is not a date and time", `value="Never"`)
	if e.code != http.StatusUnprocessableEntity {
		t.Errorf("answered %d", e.code)
	}
}

func TestConflictingVersionsOfAnArticleAreBothShown(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.post("/admin/articles/new", "title", "Tides", "text", "High at nine.")
	path, base := e.at, e.hidden("base")
	e.post(path, "title", "Tides", "text", "High at ten.", "base", base)
	page := e.post(path, "title", "Tides", "text", "High at eleven.", "base", base)
	e.want(page, "Another editor saved this article meanwhile", "High at <mark>ten</mark>.", "High at <mark>eleven</mark>.", "High at eleven.</textarea>")
	if e.code != http.StatusConflict || e.hidden("base") == base {
		t.Errorf("answered %d with base %s", e.code, e.hidden("base"))
	}
	answer := e.post(path+"/autosave", "title", "Tides", "text", "High at noon.", "base", base)
	e.want(answer, `"conflict":true`)
	e.want(e.post(path, "title", "Tides", "text", "High at eleven.", "base", "2"), "Saved.", "High at eleven.")
}

func TestAutomaticSaveOfANewArticleReturnsItsAddress(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	var saved struct {
		ID, State, Checks string
		Revision          int64
	}
	if err := json.Unmarshal([]byte(e.post("/admin/articles/new/autosave", "title", "", "text", "![](/boat.jpg) The first words")), &saved); err != nil {
		t.Fatal(err)
	}
	if saved.ID == "" || saved.Revision != 1 || !strings.Contains(saved.State, "Saved") || !strings.Contains(saved.Checks, "/boat.jpg") || !strings.Contains(saved.Checks, "alternative text: 1") {
		t.Errorf("answered %+v", saved)
	}
	e.want(e.get("/admin/articles/"+saved.ID), "The first words")
}

func TestPreviewsOfAnArticleStoreNothing(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	form := []string{"title", "Unseen", "text", "Some *words* <script>alert(1)</script> and ![x](/media/y.png)", "summary", "In short."}
	for as, want := range map[string][]string{
		"page": {"<h1>Unseen</h1>", "Some <em>words</em>", "public.css"},
		"feed": {"<h1>Unseen</h1>", "In short.", `src="` + s.url + `/media/y.png"`},
		"mail": {"Unseen", "The Harbour Gazette", "In short."},
	} {
		answer, err := e.client.PostForm(s.url+"/admin/articles/new/preview", map[string][]string{"as": {as}, "title": {form[1]}, "text": {form[3]}, "summary": {form[5]}})
		body := e.read(answer, err)
		e.want(body, want...)
		if policy := answer.Header.Get("Content-Security-Policy"); strings.Contains(body, "alert(1)") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script-src") {
			t.Errorf("%s may run scripts: %s", as, policy)
		}
	}
	if page := e.get("/admin/articles?q=Unseen"); !strings.Contains(page, "No articles found") {
		t.Error("the previews stored an article")
	}
}

func TestImagesAreUploadedWithAndWithoutScript(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	var uploaded struct{ Path, Problem string }
	if err := json.Unmarshal([]byte(e.upload("/admin/articles/new/images", "file", "boat.png", picture(t))), &uploaded); err != nil || !strings.HasPrefix(uploaded.Path, "/media/") {
		t.Fatalf("uploaded %+v, %v", uploaded, err)
	}
	if body := s.public(uploaded.Path); !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("the site serves %.20q", body)
	}
	e.want(e.upload("/admin/articles/new/images", "file", "page.png", []byte("<html>")), "not an image")
	large := append(picture(t), make([]byte, 2<<20)...) // more than other requests may have
	e.want(e.upload("/admin/articles/new/images", "file", "large.png", large), "/media/")
	page := e.upload("/admin/articles/new", "file", "boat.png", picture(t), "title", "Boats", "text", "Here:", "file_alt", "Two boats")
	e.want(page, "Saved.", "Here:\n\n![Two boats]("+uploaded.Path+")")
	page = e.upload(e.at, "image_file", "boat.png", picture(t), "title", "Boats", "text", "Here:", "image_alt", "Boats", "base", e.hidden("base"))
	e.want(page, `name="image" value="`+uploaded.Path+`"`)
}

func TestArticleFromAFileIsShownWithItsFile(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	a := s.put("From a file", func(a *article.Article) { a.Source = "/srv/blog/from-a-file.md" })
	e := s.owner()
	page := e.get("/admin/articles/" + a.ID)
	e.want(page, "/srv/blog/from-a-file.md", "Change it there", "/preview?as=mail", "Remove…")
	if strings.Contains(page, "<textarea") {
		t.Error("the page offers to edit it")
	}
	e.post("/admin/articles/"+a.ID, "title", "Changed", "base", "1")
	if got, err := s.Store.Article(t.Context(), a.ID); err != nil || got.Title != "From a file" {
		t.Errorf("stored %q, %v", got.Title, err)
	}
	for _, answer := range []string{e.post("/admin/articles/"+a.ID+"/publish", "title", "Changed", "base", "1"), e.post("/admin/articles/"+a.ID+"/unpublish", "base", "1"), e.get("/admin/articles/" + a.ID + "/history")} {
		e.want(answer, "change it at its source")
	}
	s.wantStatus(a.ID, article.Published)
	e.want(e.get("/admin/articles/"+a.ID+"/preview"), "<h1>From a file</h1>")
}

func TestFeedsAndEditionsOfAnArticleAreExplained(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	e.post("/admin/articles/new/publish", "title", "The harbour reopens", "text", "x")
	path := e.at
	e.want(e.get(path+"/where"), "All articles</a>: in it", "The week at the harbour", "In the edition of", "no edition has had it")
	e.post("/admin/articles/new", "title", "Unfinished", "text", "x")
	e.want(e.get(e.at+"/where"), "in it once it is published", "In none of the coming editions.", "it is a draft; only published articles are in editions")
}
