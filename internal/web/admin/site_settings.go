package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// siteSettingsPage is the data of the pages of the site's settings.
type siteSettingsPage struct {
	Tab        string
	Form       *settingForm
	Appearance bool     // with a preview and a field for a logo
	Sample     string   // address of the preview
	Unused     []string // keys of stored values that have no place in the file
}

func (h *Handler) siteSettingsPage(r *http.Request, tab, action string, sections []settingSection) (siteSettingsPage, settings.Current, error) {
	now, err := h.settings.Load(r.Context())
	if err != nil {
		return siteSettingsPage{}, now, err
	}
	body := siteSettingsPage{Tab: tab, Form: newSettingForm(now, sections, "", action), Unused: now.Config.Unused()}
	body.Form.addNotes(now.Config)
	return body, now, nil
}

func (h *Handler) showSiteSettings(w http.ResponseWriter, r *http.Request, session store.Session, status int, body siteSettingsPage) error {
	return h.show(w, status, "site_settings", page{Title: "Settings", Nav: "settings", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// siteSettings shows the settings of the publication.
func (h *Handler) siteSettings(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, _, err := h.siteSettingsPage(r, "site", "/admin/settings", siteSections)
	if err != nil {
		return err
	}
	return h.showSiteSettings(w, r, session, http.StatusOK, body)
}

// changeSite stores the settings of the publication.
func (h *Handler) changeSite(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, _, err := h.siteSettingsPage(r, "site", "/admin/settings", siteSections)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	stored, err := h.changeSettings(r, session, body.Form)
	if err != nil {
		return err
	}
	if !stored {
		return h.showSiteSettings(w, r, session, http.StatusUnprocessableEntity, body)
	}
	return redirectWithFlash(w, r, "/admin/settings", "settings")
}

// appearanceSettings shows the logo, colors and fonts of mails, with a preview.
func (h *Handler) appearanceSettings(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, _, err := h.appearancePage(r)
	if err != nil {
		return err
	}
	return h.showSiteSettings(w, r, session, http.StatusOK, body)
}

func (h *Handler) appearancePage(r *http.Request) (siteSettingsPage, settings.Current, error) {
	body, now, err := h.siteSettingsPage(r, "appearance", "/admin/settings/appearance", appearanceSections)
	body.Appearance, body.Sample = true, "/admin/settings/appearance/mail"
	if err == nil {
		body.Form.setDefaultColors(templates.Page{Site: digest.SiteOf(now.Config).In(now.Config.Site.Language)})
	}
	return body, now, err
}

// setDefaultColors sets the colors that mails have where a field is empty. Some follow from others that are
// set.
func (f *settingForm) setDefaultColors(mail templates.Page) {
	light, dark := mail.Light(), mail.Dark()
	colors := map[string]string{
		"brand.light.accent": light.Accent, "brand.light.on_accent": light.OnAccent, "brand.light.ink": light.Ink, "brand.light.soft": light.Soft,
		"brand.light.background": light.Background, "brand.light.content": light.Content,
		"brand.dark.accent": dark.Accent, "brand.dark.ink": dark.Ink, "brand.dark.background": dark.Background, "brand.dark.content": dark.Content,
	}
	for _, field := range f.fields() {
		field.Default = colors[field.Key]
	}
}

// changeAppearance stores the appearance of mails, or shows a sample mail with it first.
func (h *Handler) changeAppearance(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, now, err := h.appearancePage(r)
	if err != nil {
		return err
	}
	m, _, err := h.storeUpload(r.Context(), r, session.Editor, "logo")
	var problem *ingest.Problem
	switch {
	case errors.As(err, &problem):
		body.Form.Problems, body.Form.Failed = []words.Text{words.T("{0}", problem)}, true
		return h.showSiteSettings(w, r, session, http.StatusUnprocessableEntity, body)
	case err == nil:
		r.PostForm.Set("brand.logo@url", "/media/"+m.Name)
		r.PostForm.Set("brand.logo@width", strconv.Itoa(min(m.Width, maxLogoWidth)))
		r.PostForm.Set("brand.logo@height", strconv.Itoa(m.Height*min(m.Width, maxLogoWidth)/max(m.Width, 1)))
	case !errors.Is(err, http.ErrMissingFile):
		return err
	}
	if r.PostFormValue("do") == "preview" {
		unchanged(r)
		changes := body.Form.read(r.PostForm)
		body.Sample += "?" + sampleQuery(changes, r.PostForm).Encode()
		if _, err := h.settings.Try(r.Context(), changes); err != nil {
			if err := body.Form.fail(err); err != nil {
				return err
			}
		}
		body.Form.Revision = max(body.Form.Revision, now.Revision)
		return h.showSiteSettings(w, r, session, http.StatusOK, body)
	}
	stored, err := h.changeSettings(r, session, body.Form)
	if err != nil {
		return err
	}
	if !stored {
		return h.showSiteSettings(w, r, session, http.StatusUnprocessableEntity, body)
	}
	return redirectWithFlash(w, r, "/admin/settings/appearance", "settings")
}

// maxLogoWidth is the width to which an uploaded logo is shown in mails, in pixels.
const maxLogoWidth = 240

// sampleQuery returns the query of the preview with the posted values.
func sampleQuery(changes []settings.Change, posted url.Values) url.Values {
	out := url.Values{}
	for _, change := range changes {
		if posted.Has(change.Key) {
			out.Set(change.Key, posted.Get(change.Key))
		}
	}
	return out
}

// appearanceMail shows a sample mail with the stored appearance and the colors and fonts of the query.
func (h *Handler) appearanceMail(w http.ResponseWriter, r *http.Request, _ store.Session) error {
	body, now, err := h.appearancePage(r)
	if err != nil {
		return err
	}
	c := now.Config
	if tried, err := h.settings.Try(r.Context(), body.Form.read(r.URL.Query())); err == nil {
		c = tried
	}
	site := digest.SiteOf(c).In(c.Site.Language)
	out, err := templates.PreviewWith(c.Templates, "digest", c.Site.Language, func(d *templates.Digest) {
		d.Site, d.Sponsor = site, nil
		for i := range d.Articles {
			d.Articles[i].Image, d.Articles[i].Portrait = nil, nil
		}
	})
	if err != nil {
		return err
	}
	writeMail(w, out.HTML, true)
	return nil
}
