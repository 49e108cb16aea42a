package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
)

// MaxDraftFile bounds the size of a file that ApplyDraftFile reads, in bytes.
const MaxDraftFile = 1 << 20

// draftFile is a draft as "digest edit" shows it. Keys that a file lacks leave the draft as it is;
// keys without a value remove what an editor set.
type draftFile struct {
	Revision  string           `yaml:"revision"`
	Subject   string           `yaml:"subject"`
	Preheader string           `yaml:"preheader"`
	Lead      string           `yaml:"lead"`
	Intro     config.Text      `yaml:"intro"`
	Outro     config.Text      `yaml:"outro"`
	Sponsor   draftSponsor     `yaml:"sponsor"`
	Articles  []draftArticle   `yaml:"articles"`
	Exclude   []draftExclusion `yaml:"exclude"`
	Add       []string         `yaml:"add"`
}

type draftSponsor struct {
	Label string `yaml:"label"`
	Text  string `yaml:"text"`
	URL   string `yaml:"url"`
	Image string `yaml:"image"`
}

type draftArticle struct {
	Article string `yaml:"article"` // slug or id
	Section string `yaml:"section"`
	Form    string `yaml:"form"`
}

type draftExclusion struct {
	Article string `yaml:"article"`
	Reason  string `yaml:"reason"`
	ForGood bool   `yaml:"for_good"`
}

// ApplyDraftFile changes a draft as a file says: the one that WriteDraftFile wrote, with changes, or
// a shorter one. name names the file in messages. It returns config.Problems for what is wrong with
// the file, and the errors of delivery.Engine.Compose. In each case nothing is changed.
func ApplyDraftFile(ctx context.Context, e *delivery.Engine, edition, by, name string, data []byte) (*delivery.Composition, error) {
	if len(data) > MaxDraftFile {
		return nil, config.Problems{{File: name, What: "the file is larger than 1 MB", Fix: "check that it is the file of a draft"}}
	}
	var f draftFile
	document, err := config.ReadDocument(data, name, &f)
	if err != nil {
		return nil, err
	}
	c, err := e.Composition(ctx, edition, by, strings.TrimSpace(f.Revision))
	if err != nil {
		return nil, err
	}
	a := draftApplier{document: document, file: f, draft: c}
	if err := a.apply(ctx, e); err != nil {
		return nil, err
	}
	if err := e.Compose(ctx, c); err != nil {
		return nil, a.located(err)
	}
	return e.Composition(ctx, edition, by, "")
}

// draftApplier changes a composition as a file says.
type draftApplier struct {
	document *config.Document
	file     draftFile
	draft    *delivery.Composition
	excluded []string // ids and slugs
	problems config.Problems
}

func (a *draftApplier) wrong(key, what, fix string) {
	a.problems = append(a.problems, a.document.Problem(key, what, fix))
}

func (a *draftApplier) apply(ctx context.Context, e *delivery.Engine) error {
	c, f := a.draft, a.file
	for key, texts := range map[string]struct {
		from string
		into *string
	}{"subject": {f.Subject, &c.Subject}, "preheader": {f.Preheader, &c.Edits.Preheader}} {
		if a.document.Has(key) {
			*texts.into = texts.from
		}
	}
	if a.document.Has("intro") {
		c.Edits.Intro = textsOf(f.Intro)
	}
	if a.document.Has("outro") {
		c.Edits.Outro = textsOf(f.Outro)
	}
	if a.document.Has("sponsor") {
		c.Edits.Sponsor = &digest.Sponsor{Label: f.Sponsor.Label, Text: f.Sponsor.Text, URL: f.Sponsor.URL, Image: f.Sponsor.Image}
	}
	for i, name := range f.Add {
		err := e.Add(ctx, c, name)
		var refused delivery.EditProblems
		if errors.As(err, &refused) {
			a.wrong(fmt.Sprintf("add[%d]", i), refused[0].What, refused[0].Fix)
		} else if err != nil {
			return err
		}
	}
	a.exclude()
	if a.document.Has("articles") {
		a.arrange()
	}
	if a.document.Has("lead") {
		c.Edits.Lead = ""
		if f.Lead != "" {
			c.Edits.Lead = a.article("lead", f.Lead)
		}
	}
	if len(a.problems) > 0 {
		return a.problems
	}
	return nil
}

// article returns the id of an article of the draft that the file names at a key.
func (a *draftApplier) article(key, name string) string {
	for i := range a.draft.Articles {
		if one := &a.draft.Articles[i]; name == one.ID || name == one.Slug {
			return one.ID
		}
	}
	a.wrong(key, fmt.Sprintf("no article of this draft is named %q", name), "use the name that \"tidings digest edit --print\" shows, or put it under add")
	return ""
}

func (a *draftApplier) exclude() {
	for i, x := range a.file.Exclude {
		if id := a.article(fmt.Sprintf("exclude[%d].article", i), x.Article); id != "" {
			a.excluded = append(a.excluded, id, nameOf(a.draft, id))
			a.draft.Exclude(id, x.Reason, x.ForGood)
		}
	}
}

// arrange sets the order, the sections and the forms of the articles as the file lists them, and
// excludes those that it does not list. Articles that it adds stay.
func (a *draftApplier) arrange() {
	c := a.draft
	var order []string
	for i, one := range a.file.Articles {
		if slices.Contains(a.excluded, one.Article) {
			continue
		}
		key := fmt.Sprintf("articles[%d]", i)
		id := a.article(key, one.Article)
		if id == "" {
			continue
		}
		if slices.Contains(order, id) {
			a.wrong(key, fmt.Sprintf("%s is in the list twice", one.Article), "remove one of the lines")
			continue
		}
		order = append(order, id)
		c.Edits.Sections[id], c.Edits.Forms[id] = one.Section, digest.Form(one.Form)
	}
	if len(a.problems) > 0 {
		return // an article with a wrong name is not excluded
	}
	for _, id := range c.Shown() {
		if !slices.Contains(order, id) && !slices.Contains(c.Edits.Added, id) {
			c.Exclude(id, "", false)
		}
	}
	if !slices.Equal(order, slices.DeleteFunc(c.Shown(), func(id string) bool { return !slices.Contains(order, id) })) {
		c.SetOrder(order)
	}
}

// located returns the problems of a composition with their lines in the file.
func (a *draftApplier) located(err error) error {
	var found delivery.EditProblems
	if !errors.As(err, &found) {
		return err
	}
	var out config.Problems
	for _, p := range found {
		out = append(out, a.document.Problem(a.keyOf(p.Key), p.What, p.Fix))
	}
	return out
}

// keyOf returns the key in the file for that of a problem: "articles[2].form" for "forms.ID".
func (a *draftApplier) keyOf(key string) string {
	kind, id, _ := strings.Cut(key, ".")
	member := map[string]string{"sections": "section", "forms": "form"}[kind]
	if member == "" {
		return key
	}
	for i, one := range a.file.Articles {
		if at := slices.IndexFunc(a.draft.Articles, func(b article.Article) bool { return b.ID == id }); at >= 0 && (one.Article == id || one.Article == a.draft.Articles[at].Slug) {
			return fmt.Sprintf("articles[%d].%s", i, member)
		}
	}
	return "articles"
}

func textsOf(text config.Text) map[string]string {
	out := map[string]string{}
	for tag, one := range text.All() {
		out[tag] = one
	}
	return out
}

const draftFileHelp = `Draft No. %d of %s. Save and close the editor to apply the changes.
A key without a value leaves it to the digest. Texts are Markdown; for a text per
language write {en: …, fr: …}, or a line per language below the key.`

// WriteDraftFile returns a draft as a file for an editor. more are other articles that can be
// added; they are in comments.
func WriteDraftFile(c *delivery.Composition, more []article.Article) ([]byte, error) {
	w := draftWriter{}
	w.root.Kind = yaml.MappingNode
	w.key("revision", text(c.Revision), "Leave this line as it is: it shows whether someone else has changed the draft meanwhile.")
	w.key("subject", text(c.Subject), "Automatic: "+c.AutomaticSubject)
	w.key("preheader", text(c.Edits.Preheader), "The line that inboxes show beside the subject.")
	w.key("lead", text(nameOf(c, c.Edits.Lead)), "The article shown first.")
	w.key("intro", textNode(c.Edits.Intro), "Before the articles.")
	w.key("outro", textNode(c.Edits.Outro), "After the articles.")
	sponsor := &yaml.Node{Kind: yaml.MappingNode}
	s := digest.Sponsor{}
	if c.Edits.Sponsor != nil {
		s = *c.Edits.Sponsor
	}
	for _, member := range [][2]string{{"label", s.Label}, {"text", s.Text}, {"url", s.URL}, {"image", s.Image}} {
		sponsor.Content = append(sponsor.Content, text(member[0]), text(member[1]))
	}
	w.key("sponsor", sponsor, "A block of advertising.")
	w.key("articles", articleNodes(c), articlesHelp(c))
	w.key("exclude", &yaml.Node{Kind: yaml.SequenceNode}, excludeHelp(c))
	w.key("add", &yaml.Node{Kind: yaml.SequenceNode}, addHelp(more))
	var out bytes.Buffer
	for line := range strings.Lines(fmt.Sprintf(draftFileHelp, c.Edition.Number, c.Edition.Digest)) {
		out.WriteString("# " + line)
	}
	out.WriteString("\n\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := errors.Join(encoder.Encode(&w.root), encoder.Close())
	return out.Bytes(), err
}

type draftWriter struct{ root yaml.Node }

// key adds a key with a comment above it.
func (w *draftWriter) key(name string, value *yaml.Node, comment string) {
	key := text(name)
	key.HeadComment = comment
	w.root.Content = append(w.root.Content, key, value)
}

// text returns the node of a text, or of no value if it is empty.
func text(value string) *yaml.Node {
	if value == "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	n := &yaml.Node{}
	n.SetString(value)
	return n
}

func textNode(texts map[string]string) *yaml.Node {
	if len(texts) == 0 || len(texts) == 1 && texts[""] != "" {
		return text(texts[""])
	}
	n := &yaml.Node{}
	_ = n.Encode(texts) // a map of strings cannot fail
	return n
}

// nameOf returns the name of an article in the file: its slug, or its id if it has none.
func nameOf(c *delivery.Composition, id string) string {
	for _, list := range [][]article.Article{c.Articles, c.Excluded} {
		for i := range list {
			if list[i].ID == id && list[i].Slug != "" {
				return list[i].Slug
			}
		}
	}
	return id
}

func articleNodes(c *delivery.Composition) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, section := range c.Sections() {
		for i := range section.Articles {
			a := &section.Articles[i]
			one := &yaml.Node{Kind: yaml.MappingNode}
			name := text(nameOf(c, a.ID))
			name.LineComment = "# " + article.CleanLine(a.Title)
			if section.Heading != "" {
				name.LineComment += " (" + article.CleanLine(section.Heading) + ")"
			}
			one.Content = append(one.Content, text("article"), name)
			if chosen := c.Edits.Sections[a.ID]; chosen != "" {
				one.Content = append(one.Content, text("section"), text(chosen))
			}
			if form := c.Edits.Forms[a.ID]; form != "" {
				one.Content = append(one.Content, text("form"), text(string(form)))
			}
			list.Content = append(list.Content, one)
		}
	}
	return list
}

func articlesHelp(c *delivery.Composition) string {
	help := "The articles in the order shown; move the lines to change it. A line that you remove puts its\n" +
		"article back into the queue. Each may have \"form: full\", summary or title, and \"section: \" with a heading"
	var keys []string
	for _, rule := range c.Layout.Sections {
		keys = append(keys, rule.Key)
	}
	if len(keys) > 0 {
		help += ",\nwith the key of a section (" + strings.Join(keys, ", ") + "), or with \"" + digest.NoSection + "\" for none"
	}
	return help + "."
}

func excludeHelp(c *delivery.Composition) string {
	help := "Articles to take out with a reason: {article: NAME, reason: …}; with for_good: true it is in no later\nedition either."
	for _, x := range c.Edits.Excluded {
		until := "in the queue"
		if x.ForGood {
			until = "for good"
		}
		help += "\nOut, " + until + ": " + nameOf(c, x.Article)
		if x.Reason != "" {
			help += ": " + x.Reason
		}
	}
	return help
}

func addHelp(more []article.Article) string {
	help := "Articles to add, by name, such as [harbour]."
	for i := range more {
		help += "\n- " + more[i].Slug + ": " + article.CleanLine(more[i].Title)
	}
	return help
}
