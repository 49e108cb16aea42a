package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/settings"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// settingForm is a form of settings. The names of its fields are their keys.
type settingForm struct {
	Action   string
	Revision int64
	Sections []formSection
	Problems []words.Text // that belong to no field
	Failed   bool         // nothing was stored
}

type formSection struct {
	settingSection
	Fields []*settingField
}

// Open reports whether a section is open at first.
func (s formSection) Open() bool {
	return slices.ContainsFunc(s.Fields, func(f *settingField) bool { return f.Stored != nil || len(f.Problems) > 0 || f.Theirs != nil })
}

// settingField is a field of a form.
type settingField struct {
	config.Settable
	settingText
	Key         string            // such as "digests[weekly].title"
	Value       string            // in the field
	Texts       []languageText    // of KindTexts
	Picture     map[string]string // of KindPicture
	Options     []option          // of KindChoice
	Default     string            // of a color: what is used without one
	Problems    []words.Text
	Notes       []words.Text   // warnings that do not keep it from being stored
	Stored      *store.Setting // nil for the file's value
	File        string         // the file's value, for people
	Changed     bool           // the file's value changed since
	Theirs      *store.Setting // what another editor stored in the meantime
	TheirsShown string
}

// ID returns the id of the field's element.
func (f *settingField) ID() string {
	return strings.NewReplacer("[", "-", "]", "", ".", "-", "_", "-").Replace(f.Key)
}

// Long reports whether the text has several lines.
func (f *settingField) Long() bool {
	return f.Kind == config.KindLong || strings.HasSuffix(f.Key, ".intro") || strings.HasSuffix(f.Key, ".footer")
}

// languageText is a text in a language; without a tag it is for every language.
type languageText struct{ Tag, Text string }

type option struct {
	Value string
	Label words.Text
}

// newSettingForm returns the form for the current settings. entry, such as "digests[weekly]", stands
// in place of the part of the keys with empty brackets.
func newSettingForm(now settings.Current, sections []settingSection, entry, action string) *settingForm {
	form := &settingForm{Action: action, Revision: now.Revision}
	for _, section := range sections {
		made := formSection{settingSection: section}
		for _, pattern := range section.Keys {
			made.Fields = append(made.Fields, newSettingField(now, pattern, keyOf(pattern, entry)))
		}
		form.Sections = append(form.Sections, made)
	}
	return form
}

// withoutKeys returns sections without some of their keys.
func withoutKeys(sections []settingSection, keys []string) []settingSection {
	out := slices.Clone(sections)
	for i := range out {
		out[i].Keys = slices.DeleteFunc(slices.Clone(out[i].Keys), func(key string) bool { return slices.Contains(keys, key) })
	}
	return out
}

// keyOf returns the key of an entry for a pattern such as "digests[].title".
func keyOf(pattern, entry string) string {
	if _, rest, found := strings.Cut(pattern, "[]"); found {
		return entry + rest
	}
	return pattern
}

func newSettingField(now settings.Current, pattern, key string) *settingField {
	f := &settingField{Key: key, settingText: settingTexts[pattern]}
	f.Settable, _ = config.SettableOf(key)
	value, _ := now.Config.Value(key)
	f.setValue(value)
	for _, choice := range f.Choices {
		f.Options = append(f.Options, option{choice, choiceTexts[choice]})
	}
	if s, found := now.Find(key); found {
		f.Stored, f.Changed = &s, now.FileChanged(s)
		if file, inFile := now.Config.File().Value(key); inFile {
			f.File = shownValue(file)
		}
	}
	return f
}

// setValue sets what the field shows from JSON.
func (f *settingField) setValue(value string) {
	var decoded any
	if json.Unmarshal([]byte(value), &decoded) != nil {
		return
	}
	switch v := decoded.(type) {
	case map[string]any:
		if f.Kind == config.KindPicture {
			f.Picture = map[string]string{}
			for name, one := range v {
				f.Picture[name] = shownAny(one)
			}
			return
		}
		for tag, text := range v {
			f.Texts = append(f.Texts, languageText{tag, shownAny(text)})
		}
		slices.SortFunc(f.Texts, func(a, b languageText) int { return strings.Compare(a.Tag, b.Tag) })
	default:
		f.Value = shownAny(v)
		if f.Kind == config.KindTexts {
			f.Texts = []languageText{{"", f.Value}}
		}
	}
}

// shownValue returns a value in JSON for people.
func shownValue(value string) string {
	var decoded any
	if json.Unmarshal([]byte(value), &decoded) != nil {
		return value
	}
	return shownAny(decoded)
}

func shownAny(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = shownAny(v[i])
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		var parts []string
		for name, one := range v {
			parts = append(parts, strings.TrimPrefix(name+": ", ": ")+shownAny(one))
		}
		slices.Sort(parts)
		return strings.Join(parts, "; ")
	}
	return fmt.Sprint(v)
}

// fields returns all fields of a form.
func (f *settingForm) fields() (out []*settingField) {
	for _, section := range f.Sections {
		out = append(out, section.Fields...)
	}
	return out
}

// maxListEntries bounds the entries of a list in a form.
const maxListEntries = 200

// read takes the values of a request into the fields, and returns them as changes.
func (f *settingForm) read(posted url.Values) []settings.Change {
	if revision, err := strconv.ParseInt(posted.Get("revision"), 10, 64); err == nil {
		f.Revision = revision
	}
	var out []settings.Change
	for _, field := range f.fields() {
		value, there := field.read(posted)
		if !there {
			continue
		}
		data, err := json.Marshal(value)
		if err != nil {
			continue // values are texts, numbers, lists and maps of them
		}
		field.Texts, field.Picture = nil, nil
		field.setValue(string(data))
		out = append(out, settings.Change{Key: field.Key, Value: string(data)})
	}
	return out
}

// read returns the value of the field in a request; there is false if the request does not have it.
func (f *settingField) read(posted url.Values) (value any, there bool) {
	text := strings.TrimSpace(strings.ReplaceAll(posted.Get(f.Key), "\r\n", "\n"))
	there = posted.Has(f.Key)
	switch f.Kind {
	case config.KindTexts:
		return f.readTexts(posted)
	case config.KindPicture:
		return f.readPicture(posted)
	case config.KindSwitch:
		return text == "yes", posted.Has(f.Key + "@shown")
	case config.KindNumber:
		if n, err := strconv.Atoi(text); err == nil {
			return n, there
		}
	case config.KindList:
		list := []string{}
		for _, part := range strings.Split(text, ",") {
			if part = strings.TrimSpace(part); part != "" && len(list) < maxListEntries {
				list = append(list, part)
			}
		}
		return list, there
	case config.KindDuration:
		if text == "" {
			text = "0s"
		}
		if d, err := config.ParseDuration(text); err == nil {
			return config.FormatDuration(d), there
		}
	}
	return text, there
}

// readTexts returns a text, or a map with a text per language.
func (f *settingField) readTexts(posted url.Values) (value any, there bool) {
	texts := map[string]string{}
	for name, values := range posted {
		tag, found := strings.CutPrefix(name, f.Key+"@")
		if !found {
			continue
		}
		there = true
		if tag == "+" {
			tag = strings.TrimSpace(posted.Get(f.Key + "+language"))
			if tag == "" {
				continue
			}
		}
		if text := strings.TrimSpace(strings.ReplaceAll(values[0], "\r\n", "\n")); text != "" {
			texts[tag] = text
		}
	}
	if _, every := texts[""]; len(texts) == 0 || every && len(texts) == 1 {
		return texts[""], there
	}
	return texts, there
}

// readPicture returns the parts of a picture, or nil without an address.
func (f *settingField) readPicture(posted url.Values) (value any, there bool) {
	address := strings.TrimSpace(posted.Get(f.Key + "@url"))
	if there = posted.Has(f.Key + "@url"); address == "" {
		return nil, there
	}
	width, _ := strconv.Atoi(posted.Get(f.Key + "@width"))
	height, _ := strconv.Atoi(posted.Get(f.Key + "@height"))
	return map[string]any{"url": address, "alt": strings.TrimSpace(posted.Get(f.Key + "@alt")), "width": width, "height": height}, there
}

// fail shows an error of a change in the form. It returns the error if it is not about the values.
func (f *settingForm) fail(err error) error {
	var problems config.Problems
	var conflict *settings.ConflictError
	f.Failed = true
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			f.problem(p)
		}
		return nil
	case errors.As(err, &conflict):
		for i := range conflict.Theirs {
			theirs := &conflict.Theirs[i]
			f.Revision = max(f.Revision, theirs.Revision) // saving once more replaces it
			for _, field := range f.fields() {
				if field.Key == theirs.Key {
					field.Theirs, field.TheirsShown = theirs, shownValue(theirs.Value)
				}
			}
		}
		return nil
	}
	return err
}

func (f *settingForm) problem(p config.Problem) {
	p.Fix, _, _ = strings.Cut(p.Fix, ", or run: tidings")
	text := p.Text()
	for _, field := range f.fields() {
		if p.Key == field.Key || strings.HasPrefix(p.Key, field.Key+".") || strings.HasPrefix(p.Key, field.Key+"[") {
			field.Problems = append(field.Problems, text)
			return
		}
	}
	f.Problems = append(f.Problems, words.T("{0}: {1}", words.Verbatim(p.Key), text))
}

// addNotes shows the warnings of "tidings config check" beside their fields.
func (f *settingForm) addNotes(c *config.Config) {
	for _, p := range c.SettingWarnings() {
		for _, field := range f.fields() {
			if c.KeyWithName(p.Key) == field.Key {
				field.Notes = append(field.Notes, noteOf(p))
			}
		}
	}
}

// noteOf returns a warning for editors. Who has no access to the file cannot add keys for DKIM.
func noteOf(p config.Problem) words.Text {
	if strings.Contains(p.Fix, "mail.dkim") {
		return words.T("{0}. Ask the person who runs the server to add one, unless the mail server signs.", words.Stored(p.What))
	}
	return p.Text()
}

// changeSettings stores what a form has, or goes back to the file's value of one key. stored is false
// if the form has problems.
func (h *Handler) changeSettings(r *http.Request, session store.Session, form *settingForm, more ...settings.Change) (stored bool, err error) {
	changes := append(form.read(r.PostForm), more...)
	if key := r.PostFormValue("unset"); key != "" {
		if !slices.ContainsFunc(form.fields(), func(f *settingField) bool { return f.Key == key }) {
			return false, store.ErrNotFound // the role of the route covers the fields of its form only
		}
		changes = []settings.Change{{Key: key}}
	}
	ctx := h.auditing(context.WithoutCancel(r.Context()), session.Editor, "settings.change", "setting", "", "")
	rows, err := h.settings.Change(ctx, form.Revision, session.Editor.Email, changes)
	if err != nil {
		return false, form.fail(err)
	}
	for _, row := range rows {
		h.log.InfoContext(r.Context(), "editor changed a setting", "editor", session.Editor.ID, "key", row.Key)
	}
	return true, nil
}

// textChange returns the change of a key to a text.
func textChange(key, text string) settings.Change {
	value, _ := json.Marshal(text) // texts cannot fail
	return settings.Change{Key: key, Value: string(value)}
}

// listChange returns the change of a key to a list of one text.
func listChange(key, text string) settings.Change {
	value, _ := json.Marshal([]string{text}) // texts cannot fail
	return settings.Change{Key: key, Value: string(value)}
}
