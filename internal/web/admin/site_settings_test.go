package admin_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"testing"
)

func TestOwnerChangesTheSite(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	page := ada.get("/admin/settings")
	ada.want(page, "The Harbour Gazette", "1 Quay Street")
	ada.post("/admin/settings", "revision", ada.hidden("revision"), "site.title@", "The Quay Post", "mail.postal_address", "The Quay Post\n2 Quay Street",
		"site.timezone", "Europe/Berlin", "site.languages", "en, de", "health.alerts@shown", "1", "site.index_editions@shown", "1", "site.index_editions", "yes")
	ada.want(ada.body, "The settings were saved", "The Quay Post", "The Harbour Gazette", "Use the file")
	ada.want(ada.get("/"), "The Quay Post")
	now, err := s.Settings().Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := now.Config
	if c.Mail.Postal != "The Quay Post\n2 Quay Street" || c.Site.Timezone != "Europe/Berlin" || len(c.Site.Languages) != 2 || c.Health.Alerts || !c.Site.IndexEditions {
		t.Errorf("%+v, %+v", c.Site, c.Health)
	}
	ada.post("/admin/settings", "revision", "1", "site.timezone", "Europe/Berlinn")
	if ada.code != http.StatusUnprocessableEntity {
		t.Error(ada.code)
	}
	ada.want(ada.body, "Nothing was stored", "is unknown", `value="Europe/Berlinn"`)
}

func TestOwnerChangesTheAppearance(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	ada := s.owner()
	ada.get("/admin/settings/appearance")
	shown := ada.hidden("revision")
	ada.want(ada.body, `name="brand.light.accent" value="" dir="auto" class="color" placeholder="#0f5c56"`, `name="brand.light.background" value="" dir="auto" class="color" placeholder="#f3f0ea"`,
		`name="brand.dark.content" value="" dir="auto" class="color" placeholder="#1a1e1d"`)
	ada.want(ada.post("/admin/settings/appearance", "revision", shown, "do", "preview", "brand.light.ink", "#eeeeee"), "the contrast of ink", "appearance/mail?brand.light.ink=%23eeeeee")
	ada.want(ada.get("/admin/settings/appearance/mail?brand.light.accent=%23903010"), "#903010", "Clara Stein")
	ada.post("/admin/settings/appearance", "revision", shown, "brand.light.ink", "#eeeeee")
	ada.want(ada.body, "Nothing was stored", "the contrast of ink")

	var body, picture bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("logo", "logo.png")
	if err == nil {
		err = png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 480, 120)))
	}
	if err == nil {
		_, err = file.Write(picture.Bytes())
	}
	for name, value := range map[string]string{"revision": shown, "brand.logo@url": "", "brand.logo@alt": "The Gazette", "brand.light.accent": "#903010"} {
		if err == nil {
			err = form.WriteField(name, value)
		}
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	answer, err := ada.client.Post(s.url+"/admin/settings/appearance", form.FormDataContentType(), &body)
	ada.read(answer, err)
	now, err := s.Settings().Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	logo := now.Config.Brand.Logo
	if logo == nil || logo.Width != 240 || logo.Height != 60 || logo.Alt != "The Gazette" || now.Config.Brand.Light.Accent != "#903010" {
		t.Fatalf("%d, logo %+v:\n%s", ada.code, logo, ada.body)
	}
	if status(t, s.url+logo.URL) != http.StatusOK {
		t.Errorf("%s is not served", logo.URL)
	}
	ada.want(ada.get("/admin/settings/appearance/mail"), logo.URL)
}
