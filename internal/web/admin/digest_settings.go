package admin

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// digestSettingsPage is the data of the page of a digest's settings.
type digestSettingsPage struct {
	Name     string
	Title    string
	Form     *settingForm
	Schedule *scheduleForm
	Limited  bool // without the fields that only owners change
	YAML     string
	Preview  bool // the times of a schedule that is not stored
}

// keysOfOwners are the settings of a digest that only owners change: an editor alone could otherwise
// send what two must approve.
var keysOfOwners = []string{"digests[].approval", "digests[].at_deadline"}

// digestSettingsForm returns the form of a digest with its stored values and the fields that the role
// of the editor permits.
func (h *Handler) digestSettingsForm(r *http.Request, session store.Session) (digestSettingsPage, settings.Current, error) {
	now, err := h.settings.Load(r.Context())
	if err != nil {
		return digestSettingsPage{}, now, err
	}
	name := r.PathValue("name")
	i := slices.IndexFunc(now.Config.Digests, func(d config.Digest) bool { return d.Name == name })
	if i < 0 {
		return digestSettingsPage{}, now, store.ErrNotFound
	}
	d, entry := &now.Config.Digests[i], "digests["+name+"]"
	body := digestSettingsPage{Name: name, Title: d.Title.String()}
	sections := digestSections
	if body.Limited = !session.Editor.Role.Includes(store.OwnerRole); body.Limited {
		sections = withoutKeys(sections, keysOfOwners)
	}
	body.Form = newSettingForm(now, sections, entry, "/admin/digests/"+name+"/settings")
	times := newScheduleForm(d.Schedule, d.Timezone)
	times.Field = newSettingField(now, "digests[].schedule", entry+".schedule")
	times.Field.Label = words.T("Schedule")
	zone := newSettingField(now, "digests[].timezone", entry+".timezone")
	body.Schedule = &times
	// The fields of the schedule are shown by themselves, above the sections.
	body.Form.Sections = append([]formSection{{Fields: []*settingField{times.Field, zone}}}, body.Form.Sections...)
	h.offerTemplates(body.Form, now.Config.Templates)
	yaml, err := now.Config.ExportEntry("digests", name)
	body.YAML = string(yaml)
	return body, now, err
}

// offerTemplates makes the template a choice of those that exist.
func (h *Handler) offerTemplates(form *settingForm, folder string) {
	mails, _, err := templates.List(folder)
	if err != nil {
		return // the field is a text then
	}
	for _, field := range form.fields() {
		if !strings.HasSuffix(field.Key, ".template") {
			continue
		}
		field.Kind = config.KindChoice
		for _, m := range mails {
			if m.For == "digests" {
				field.Options = append(field.Options, option{m.Name, words.Verbatim(m.Name)})
			}
		}
	}
}

// digestSettings shows the settings of a digest.
func (h *Handler) digestSettings(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, now, err := h.digestSettingsForm(r, session)
	if err != nil {
		return err
	}
	body.Form.addNotes(now.Config)
	return h.showDigestSettings(w, r, session, http.StatusOK, body)
}

func (h *Handler) showDigestSettings(w http.ResponseWriter, r *http.Request, session store.Session, status int, body digestSettingsPage) error {
	body.Schedule.describe(h.words(w).Language, h.store.Now())
	return h.show(w, status, "digest_settings", page{Title: words.T("Settings of {0}", body.Title), Nav: "digests", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// changeDigest stores the settings of a digest, or shows the times of a schedule before it is stored.
func (h *Handler) changeDigest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body, _, err := h.digestSettingsForm(r, session)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	var more []settings.Change
	if r.PostForm.Has("when") {
		field := body.Schedule.Field
		posted := readSchedule(r.PostForm)
		posted.Timezone = strings.TrimSpace(r.PostFormValue("digests[" + body.Name + "].timezone"))
		posted.Field = field
		*body.Schedule = posted
		more = append(more, body.Schedule.change(field.Key))
	}
	if r.PostFormValue("do") == "times" {
		body.Form.read(r.PostForm)
		body.Preview = true
		if _, err := schedule.Parse(body.Schedule.Cron, body.Schedule.Timezone); err != nil {
			body.Schedule.Field.Problems = []words.Text{words.T("{0}", err)}
		}
		unchanged(r)
		return h.showDigestSettings(w, r, session, http.StatusOK, body)
	}
	stored, err := h.changeSettings(r, session, body.Form, more...)
	if err != nil {
		return err
	}
	if !stored {
		return h.showDigestSettings(w, r, session, http.StatusUnprocessableEntity, body)
	}
	return redirectWithFlash(w, r, "/admin/digests/"+body.Name+"/settings", "settings")
}

// newDigestPage is the data of the page that adds a digest.
type newDigestPage struct {
	Title, Sender string
	Schedule      scheduleForm
	Problem       any
	Revision      int64
}

// newDigest shows the page that adds a digest.
func (h *Handler) newDigest(w http.ResponseWriter, _ *http.Request, session store.Session) error {
	body := newDigestPage{Schedule: newScheduleForm("0 8 * * 5", h.config.Site.Timezone)}
	if len(h.config.Digests) > 0 {
		body.Sender = h.config.Digests[0].Sender
	}
	return h.showNewDigest(w, session, http.StatusOK, body)
}

func (h *Handler) showNewDigest(w http.ResponseWriter, session store.Session, status int, body newDigestPage) error {
	return h.show(w, status, "digest_new", page{Title: "New digest", Nav: "digests", Editor: &session.Editor, Body: body})
}

var digestName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// addDigest adds a digest. It is paused at first, so that nothing is sent before an editor has looked
// at it.
func (h *Handler) addDigest(w http.ResponseWriter, r *http.Request, session store.Session) error {
	body := newDigestPage{Title: strings.TrimSpace(r.PostFormValue("title")), Sender: strings.TrimSpace(r.PostFormValue("sender"))}
	body.Schedule = readSchedule(r.PostForm)
	now, err := h.settings.Load(r.Context())
	if err != nil {
		return err
	}
	name := freeDigestName(now.Config, article.Slugify(body.Title))
	if !digestName.MatchString(name) {
		body.Problem = "Write a title with letters or digits."
		return h.showNewDigest(w, session, http.StatusUnprocessableEntity, body)
	}
	entry := "digests[" + name + "]"
	form := &settingForm{Revision: now.Revision}
	changes := []settings.Change{{Key: entry, Value: config.AddedEntry}, body.Schedule.change(entry + ".schedule")}
	for key, value := range map[string]string{".title": body.Title, ".sender": body.Sender, ".status": "paused"} {
		changes = append(changes, textChange(entry+key, value))
	}
	stored, err := h.changeSettings(r, session, form, changes...)
	if err != nil {
		return err
	}
	if !stored {
		body.Problem = words.Joined("\n", form.Problems...)
		return h.showNewDigest(w, session, http.StatusUnprocessableEntity, body)
	}
	return redirectWithFlash(w, r, "/admin/digests/"+name+"/settings", "digest-added")
}

// freeDigestName returns a name that no digest has. "new" is the address of a page.
func freeDigestName(c *config.Config, name string) string {
	name = strings.Trim(truncate(name, 50), "-")
	taken := func(d config.Digest) bool { return d.Name == name }
	for name == "new" || name != "" && slices.ContainsFunc(c.Digests, taken) {
		name += "-2"
	}
	return name
}
