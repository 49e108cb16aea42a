package admin_test

import (
	"net/http"
	"testing"
)

func TestEditorSeesAndChangesFeeds(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.want(ada.get("/admin/feeds"), s.url+"/feed.xml", s.url+"/feed.json", "The Harbour Gazette", `href="`+s.url+`/atom.xml">Atom</a>`)
	ada.post("/admin/feeds", "title", "From the sea", "tag", "harbour")
	if ada.at != "/admin/feeds/from-the-sea" {
		t.Fatalf("%s, %d:\n%s", ada.at, ada.code, ada.body)
	}
	ada.want(ada.body, "From the sea", "/feeds/from-the-sea", `value="harbour"`, "as feed readers show them")
	ada.post("/admin/feeds/from-the-sea", "revision", ada.hidden("revision"), "feeds[from-the-sea].limit", "0x")
	if ada.code != http.StatusUnprocessableEntity {
		t.Error(ada.code)
	}
	ada.get("/admin/feeds/from-the-sea")
	ada.post("/admin/feeds/from-the-sea", "revision", ada.hidden("revision"), "feeds[from-the-sea].title", "Of the sea")
	now, err := s.Settings().Load(t.Context())
	if err != nil || len(now.Config.Feeds) != 2 || now.Config.Feeds[1].Title != "Of the sea" {
		t.Errorf("%+v, %v", now.Config.Feeds, err)
	}
	if status(t, s.url+"/feeds/from-the-sea.xml") != http.StatusOK && status(t, s.url+"/feeds/from-the-sea/feed.xml") != http.StatusOK {
		t.Error("the new feed is not served")
	}
	if ada.post("/admin/feeds", "title", "Of the sea!", "tag", ""); ada.code != http.StatusOK {
		t.Error(ada.code)
	}
}
