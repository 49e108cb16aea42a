package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// composePage is the data of the page on which editors compose a draft.
type composePage struct {
	*delivery.Composition
	Title    string // of the digest
	Sections []composeSection
	Fields   []composeField
	Left     []leftOut
	Addable  []article.Article
	Error    any // a text: why the last change was not stored
	Problems []delivery.EditProblem
	Wanted   []string // titles in the order that was not stored
}

// composeSection is a section as the page lists it.
type composeSection struct {
	Heading  string
	Articles []composeArticle
}

type composeArticle struct {
	article.Article
	Section, Form string // that an editor chose
	First, Last   bool   // in the section
	Lead          bool
}

// composeField is a text that editors write.
type composeField struct {
	Name     string
	Label    words.Text
	Hint     any    // nil for none
	Value    string // as it was typed
	Stored   string // as it is stored, if that differs
	Language string
	Long     bool // has several lines
}

// leftOut is an article that editors took out.
type leftOut struct {
	digest.Exclusion
	Title string
}

func (h *Handler) composePage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	c, err := h.engine.Composition(r.Context(), r.PathValue("id"), session.Editor.Email, "")
	if err != nil {
		return draftError(err, "/admin/editions/"+r.PathValue("id"))
	}
	return h.showComposition(w, r, session, c, nil)
}

// showComposition shows the page. failed is why the change in the request was not stored: the page
// then keeps what was typed.
func (h *Handler) showComposition(w http.ResponseWriter, r *http.Request, session store.Session, c *delivery.Composition, failed error) error {
	body := composePage{Composition: c, Title: h.digestTitle(c.Edition.Digest), Fields: fieldsOf(c)}
	status := http.StatusOK
	if failed != nil {
		body.Error, status = any(failed), http.StatusConflict
		var problems delivery.EditProblems
		if errors.As(failed, &problems) {
			body.Error, body.Problems, status = words.T("Nothing was changed."), problems, http.StatusUnprocessableEntity
		}
		body.keepTyped(r)
	}
	lead := c.Edits.Lead
	for _, s := range c.Sections() {
		section := composeSection{Heading: s.Heading}
		for i := range s.Articles {
			a := s.Articles[i]
			section.Articles = append(section.Articles, composeArticle{
				Article: a, Section: c.Edits.Sections[a.ID], Form: string(c.Edits.Forms[a.ID]),
				First: i == 0, Last: i == len(s.Articles)-1, Lead: a.ID == lead,
			})
		}
		body.Sections = append(body.Sections, section)
	}
	for _, x := range c.Edits.Excluded {
		title := x.Article
		if at := slices.IndexFunc(c.Excluded, func(a article.Article) bool { return a.ID == x.Article }); at >= 0 {
			title = c.Excluded[at].Title
		}
		body.Left = append(body.Left, leftOut{x, title})
	}
	const addable = 50
	var err error
	if body.Addable, err = h.engine.Addable(r.Context(), c, addable); err != nil {
		return err
	}
	return h.show(w, status, "edition_compose", page{Title: words.T("Compose “{0}”", words.Verbatim(c.Edition.Subject)), Nav: "digests", Editor: &session.Editor, Flash: flash(r), Script: "compose.js", Body: body})
}

// Rules returns the sections of the digest.
func (p composePage) Rules() []digest.SectionRule { return p.Layout.Sections }

// Forms returns the forms of an article.
func (p composePage) Forms() []digest.Form { return digest.Forms }

// fieldsOf returns the texts of a draft.
func fieldsOf(c *delivery.Composition) []composeField {
	var s digest.Sponsor
	if c.Edits.Sponsor != nil {
		s = *c.Edits.Sponsor
	}
	fields := []composeField{
		{Name: "subject", Label: words.T("Subject"), Hint: words.T("Without one: {0}", words.Verbatim(c.AutomaticSubject)), Value: c.Subject},
		{Name: "preheader", Label: words.T("Preheader"), Hint: words.T("The line that inboxes show beside the subject."), Value: c.Edits.Preheader},
	}
	languages := languagesOf(c)
	for _, text := range []struct {
		name  string
		label func(lang string) words.Text
		texts map[string]string
	}{{"intro", introLabel, c.Edits.Intro}, {"outro", outroLabel, c.Edits.Outro}} {
		for _, lang := range languages {
			f := composeField{Name: text.name, Label: text.label(lang), Value: text.texts[lang], Language: lang, Long: true}
			if lang != "" {
				f.Name = text.name + "." + lang
			}
			fields = append(fields, f)
		}
	}
	return append(fields,
		composeField{Name: "sponsor.label", Label: words.T("Sponsor’s label"), Hint: words.T("Such as Advertisement."), Value: s.Label},
		composeField{Name: "sponsor.text", Label: words.T("Sponsor’s text"), Value: s.Text, Long: true},
		composeField{Name: "sponsor.url", Label: words.T("Sponsor’s address"), Value: s.URL},
		composeField{Name: "sponsor.image", Label: words.T("Address of the sponsor’s image"), Value: s.Image})
}

func introLabel(lang string) words.Text {
	if lang == "" {
		return words.T("Intro")
	}
	return words.T("Intro in {0}", lang)
}

func outroLabel(lang string) words.Text {
	if lang == "" {
		return words.T("Outro")
	}
	return words.T("Outro in {0}", lang)
}

// languagesOf returns "" for all languages, and those that texts of a draft can be written in: the
// languages of its articles, if there are several, and of texts that exist.
func languagesOf(c *delivery.Composition) []string {
	var out []string
	for i := range c.Articles {
		if lang := c.Articles[i].Language; lang != "" && !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	if len(out) < 2 {
		out = nil
	}
	for _, texts := range []map[string]string{c.Edits.Intro, c.Edits.Outro} {
		for lang := range texts {
			if lang != "" && !slices.Contains(out, lang) {
				out = append(out, lang)
			}
		}
	}
	slices.Sort(out)
	return append([]string{""}, out...)
}

// keepTyped puts what was typed into the fields, with what is stored beside it, and lists the order that
// was wanted.
func (p *composePage) keepTyped(r *http.Request) {
	if r.PostFormValue("do") == "order" {
		for _, id := range strings.Fields(r.PostFormValue("order")) {
			if at := slices.IndexFunc(p.Articles, func(a article.Article) bool { return a.ID == id }); at >= 0 {
				p.Wanted = append(p.Wanted, p.Articles[at].Title)
			}
		}
	}
	if r.PostFormValue("do") != "texts" {
		return
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if typed := strings.ReplaceAll(r.PostFormValue(f.Name), "\r\n", "\n"); typed != f.Value {
			f.Stored, f.Value = f.Value, typed
		}
	}
}

// compose changes a draft. The form has the revision that was shown: if the draft has changed since,
// nothing is stored and the page is shown again.
func (h *Handler) compose(w http.ResponseWriter, r *http.Request, session store.Session) error {
	id, by := r.PathValue("id"), session.Editor.Email
	ctx := longRequest(w, r)
	revision := r.PostFormValue("revision")
	if !utf8.ValidString(revision) || revision == "" {
		revision = "none"
	}
	c, err := h.engine.Composition(ctx, id, by, revision)
	if err == nil {
		err = h.change(ctx, c, r)
	}
	if err == nil {
		err = h.engine.Compose(h.auditing(ctx, session.Editor, "edition.compose", "edition", id, truncate(r.PostFormValue("do"), 20)), c)
	}
	if err == nil {
		here := "/admin/editions/" + id + "/compose?done=composed"
		// The next press of Tab continues at the place that the fragment names.
		switch a := r.PostFormValue("article"); {
		case slices.ContainsFunc(c.Articles, func(in article.Article) bool { return in.ID == a }):
			here += "#article-" + a
		case a != "":
			here += "#articles"
		}
		http.Redirect(w, r, here, http.StatusSeeOther)
		return nil
	}
	var changed *delivery.ChangedError
	var problems delivery.EditProblems
	if !errors.As(err, &changed) && !errors.As(err, &problems) {
		return draftError(err, "/admin/editions/"+id)
	}
	if changed != nil {
		err = words.Errorf("Nothing was changed: {0}. Look at it, and make your change again.", err)
	}
	is, readErr := h.engine.Composition(ctx, id, by, "")
	if readErr != nil {
		return draftError(readErr, "/admin/editions/"+id)
	}
	return h.showComposition(w, r, session, is, err)
}

// change makes one change of a draft as the form says.
func (h *Handler) change(ctx context.Context, c *delivery.Composition, r *http.Request) error {
	a := r.PostFormValue("article")
	switch r.PostFormValue("do") {
	case "up":
		c.Move(a, -1)
	case "down":
		c.Move(a, 1)
	case "order":
		c.Reorder(strings.Fields(r.PostFormValue("order")))
	case "lead":
		c.Edits.Lead = a
	case "unlead":
		c.Edits.Lead = ""
	case "place":
		c.Edits.Sections[a], c.Edits.Forms[a] = r.PostFormValue("section"), digest.Form(r.PostFormValue("form"))
	case "exclude":
		c.Exclude(a, r.PostFormValue("reason"), false)
	case "drop":
		c.Exclude(a, r.PostFormValue("reason"), true)
	case "add":
		if a == "" {
			a = r.PostFormValue("name")
		}
		return h.engine.Add(ctx, c, a)
	case "texts":
		setTexts(c, r)
	default:
		return store.ErrNotFound
	}
	return nil
}

// setTexts sets the texts of a draft from the fields of a form.
func setTexts(c *delivery.Composition, r *http.Request) {
	c.Edits.Sponsor = &digest.Sponsor{}
	into := map[string]*string{
		"subject": &c.Subject, "preheader": &c.Edits.Preheader, "sponsor.label": &c.Edits.Sponsor.Label,
		"sponsor.text": &c.Edits.Sponsor.Text, "sponsor.url": &c.Edits.Sponsor.URL, "sponsor.image": &c.Edits.Sponsor.Image,
	}
	for _, f := range fieldsOf(c) {
		typed := strings.ReplaceAll(r.PostFormValue(f.Name), "\r\n", "\n")
		switch kind, _, _ := strings.Cut(f.Name, "."); kind {
		case "intro":
			c.Edits.Intro[f.Language] = typed
		case "outro":
			c.Edits.Outro[f.Language] = typed
		default:
			*into[f.Name] = typed
		}
	}
}
