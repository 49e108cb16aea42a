package admin

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// usedTexts are the English texts of the admin and the file in which each stands.
type usedTexts struct {
	t       *testing.T
	used    map[string]string
	strings map[string]bool // all strings of Go code
}

func (u *usedTexts) add(file, text string) {
	if u.used[text] == "" {
		u.used[text] = file
	}
}

// addPlural adds the forms of a noun or of a text with a number.
func (u *usedTexts) addPlural(file, one, other string) {
	if !strings.Contains(other, "{0}") {
		one, other = "{0} "+one, "{0} "+other
	}
	u.add(file, one)
	u.add(file, other)
}

func (u *usedTexts) problem(file, format string, args ...any) {
	u.t.Helper()
	u.t.Errorf("%s: %s", file, fmt.Sprintf(format, args...))
}

// usedByAdmin returns all texts of templates and Go code.
func usedByAdmin(t *testing.T) *usedTexts {
	t.Helper()
	u := &usedTexts{t, map[string]string{}, map[string]bool{}}
	pages, err := filepath.Glob("pages/*.html")
	if err != nil || len(pages) < 20 {
		t.Fatal(len(pages), err)
	}
	for _, file := range pages {
		u.template(filepath.Base(file), file)
	}
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "../../web/public") {
			u.goFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range digest.States {
		u.add("digest.State", s.Label())
		u.add("digest.State", string(s))
	}
	for _, s := range subscriber.States {
		u.add("subscriber.State", string(s))
	}
	for _, d := range store.Decisions {
		u.add("store.Decision", string(d))
	}
	for _, reason := range []string{digest.NoLanguageMatch, digest.NoTopicMatch, digest.NoMatch} {
		u.add("digest.Preferences", reason)
	}
	for _, rule := range lint.Rules() {
		u.add("lint.Rules", rule.Fix)
	}
	for _, reason := range storedReasons {
		u.add("reasons in queries", reason)
	}
	for _, s := range []lint.Severity{lint.Error, lint.Warning} {
		u.add("lint.Severity", string(s))
	}
	return u
}

// storedReasons are the reasons of deliveries that SQL writes or that lists of reasons shorten.
var storedReasons = []string{
	store.HeldAtDeadline, "the edition was cancelled", "in doubt: an editor left it so", "in doubt: the process ended before the server had answered",
	"in doubt: the reader was erased since", "no reason recorded", "the address cannot be mailed", "the address cannot be sent to the relay",
}

// template adds the texts of a page template and reports texts that are not translated.
func (u *usedTexts) template(file, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		u.t.Fatal(err)
	}
	tree := parse.New(file)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(data), "", "", trees); err != nil {
		u.t.Fatal(err)
	}
	for _, one := range trees {
		var page strings.Builder
		u.node(file, one.Root, &page)
		for _, text := range visibleTexts(page.String()) {
			u.problem(file, "the text %q is not in {{t}}", text)
		}
	}
}

// node adds the texts of a node, and writes its HTML with \x00 in place of actions.
func (u *usedTexts) node(file string, n parse.Node, page *strings.Builder) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			u.node(file, child, page)
		}
	case *parse.TextNode:
		page.Write(n.Text)
	case *parse.ActionNode:
		u.pipe(file, n.Pipe)
		page.WriteByte(0)
	case *parse.TemplateNode:
		u.pipe(file, n.Pipe)
		page.WriteByte(0)
	case *parse.IfNode:
		u.branch(file, n.BranchNode, page)
	case *parse.RangeNode:
		u.branch(file, n.BranchNode, page)
	case *parse.WithNode:
		u.branch(file, n.BranchNode, page)
	}
}

func (u *usedTexts) branch(file string, n parse.BranchNode, page *strings.Builder) {
	u.pipe(file, n.Pipe)
	u.node(file, n.List, page)
	u.node(file, n.ElseList, page)
}

func (u *usedTexts) pipe(file string, pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	for _, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			if inner, ok := arg.(*parse.PipeNode); ok {
				u.pipe(file, inner)
			}
		}
		name, ok := cmd.Args[0].(*parse.IdentifierNode)
		switch {
		case !ok:
		case name.Ident == "t":
			if texts := u.literals(file, cmd, 1, 1); texts != nil {
				u.add(file, texts[0])
			}
		case name.Ident == "plural":
			if texts := u.literals(file, cmd, 2, 2); texts != nil {
				u.addPlural(file, texts[0], texts[1])
			}
		}
	}
}

// literals returns n arguments of a function in a template, which must be literals.
func (u *usedTexts) literals(file string, cmd *parse.CommandNode, from, n int) []string {
	var out []string
	for i := from; i < from+n; i++ {
		if i < len(cmd.Args) {
			if text, ok := cmd.Args[i].(*parse.StringNode); ok {
				out = append(out, text.Text)
				continue
			}
		}
		u.problem(file, "%s: the text is no literal; use translate for texts from Go code", cmd)
		return nil
	}
	return out
}

var (
	notShown   = regexp.MustCompile(`(?is)<!--.*?-->|<!DOCTYPE[^>]*>|<(code|pre|style|script)\b.*?</(code|pre|style|script)>`)
	tag        = regexp.MustCompile(`(?s)<[^>]*>`)
	attributes = regexp.MustCompile(`\b(title|aria-label|aria-description|alt|placeholder|data-[a-z-]*text|label)="([^"]*)"`)
)

// visibleTexts returns the texts of a page that have letters: between tags, and in attributes that
// people read. Addresses and expressions as examples in placeholders are left out.
func visibleTexts(page string) []string {
	page = notShown.ReplaceAllString(page, "")
	texts := strings.Split(tag.ReplaceAllString(page, "\x00"), "\x00")
	for _, m := range attributes.FindAllStringSubmatch(page, -1) {
		if m[1] != "placeholder" || strings.Contains(strings.TrimSpace(m[2]), " ") && !strings.Contains(m[2], " AND ") {
			texts = append(texts, strings.Split(m[2], "\x00")...)
		}
	}
	return slices.DeleteFunc(texts, func(s string) bool {
		return !strings.ContainsFunc(html.UnescapeString(s), unicode.IsLetter)
	})
}

// textFields are the fields that are translated when they are shown, by type: their index and whether
// they must be translated.
var textFields = map[string]map[string]int{
	"page":      {"Title": 0, "Flash": -1},
	"userError": {"Title": 1, "Text": 2, "Label": 4},
}

// textArguments are the indexes of arguments that are texts, by function.
var textArguments = map[string][]int{"invalid": {0, 1}, "conflict": {0}, "T": {0}, "Errorf": {0}, "Say": {0}, "SayHTML": {0}}

// goFile adds the texts of a Go file.
func (u *usedTexts) goFile(path string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		u.t.Fatal(err)
	}
	file := strings.TrimPrefix(path, "../../")
	inAdmin := strings.HasPrefix(file, "web/admin/")
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if s, ok := literal(n); ok {
				u.strings[s] = true
			}
		case *ast.CompositeLit:
			if inAdmin {
				u.composite(file, n)
			}
			if array, ok := n.Type.(*ast.ArrayType); ok {
				switch file + " " + fmt.Sprint(array.Elt) {
				case "words/format.go unit":
					u.fields(file, n, 1, 8)
				case "lint/clients.go feature":
					u.features(file, n)
				}
			}
		case *ast.ValueSpec:
			if inAdmin && len(n.Names) == 1 && (n.Names[0].Name == "flashMessages" || strings.HasSuffix(n.Names[0].Name, "Label")) {
				u.values(file, n)
			}
		case *ast.ReturnStmt:
			if file == "subscriber/address.go" || file == "subscriber/local.go" {
				u.sentences(file, n.Results)
			}
		case *ast.AssignStmt:
			if field, ok := n.Lhs[0].(*ast.SelectorExpr); inAdmin && ok && field.Sel.Name == "Problem" {
				u.text(file, n.Rhs[0])
			}
		case *ast.CallExpr:
			u.call(file, inAdmin, n)
		}
		return true
	})
}

func (u *usedTexts) composite(file string, n *ast.CompositeLit) {
	fields := textFields[fmt.Sprint(n.Type)]
	for i, element := range n.Elts {
		if keyed, ok := element.(*ast.KeyValueExpr); ok {
			if _, ok := fields[fmt.Sprint(keyed.Key)]; ok || fmt.Sprint(keyed.Key) == "Problem" {
				u.text(file, keyed.Value)
			}
			continue
		}
		for _, index := range fields {
			if index == i {
				u.text(file, element)
			}
		}
	}
}

// fields adds the texts of some fields of all elements.
func (u *usedTexts) fields(file string, n *ast.CompositeLit, from, until int) {
	for _, element := range n.Elts {
		fields := element.(*ast.CompositeLit).Elts
		for _, field := range fields[from:min(until, len(fields))] {
			u.text(file, field)
		}
	}
}

// features adds what mails use and what happens without it. Names such as "display: flex" and "<video>" are
// code.
func (u *usedTexts) features(file string, n *ast.CompositeLit) {
	for _, element := range n.Elts {
		fields := element.(*ast.CompositeLit).Elts
		if name, _ := literal(fields[1]); strings.Contains(name, " ") && !strings.Contains(name, ": ") {
			u.add(file, name)
		}
		u.text(file, fields[2])
	}
}

// sentences adds the literals with more than one word.
func (u *usedTexts) sentences(file string, all []ast.Expr) {
	for _, one := range all {
		if s, ok := literal(one); ok && strings.Contains(s, " ") {
			u.add(file, s)
		}
	}
}

func (u *usedTexts) values(file string, n *ast.ValueSpec) {
	for _, value := range n.Values {
		if m, ok := value.(*ast.CompositeLit); ok {
			for _, element := range m.Elts {
				u.text(file, element.(*ast.KeyValueExpr).Value)
			}
			continue
		}
		u.text(file, value)
	}
}

func (u *usedTexts) call(file string, inAdmin bool, n *ast.CallExpr) {
	name, from := "", ""
	switch f := n.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
		from = fmt.Sprint(f.X)
	}
	inWords := strings.HasPrefix(file, "words/")
	if name == "invalid" && file == "subscriber/address.go" {
		u.sentences(file, n.Args)
	}
	switch {
	case (name == "T" || name == "Errorf") && from != "words", from == "" && !inAdmin, (name == "Say" || name == "Plural") && !inAdmin && !inWords:
		return
	case (name == "Plural" || name == "N" && from == "words") && len(n.Args) > 2:
		one, first := literal(n.Args[1])
		other, second := literal(n.Args[2])
		if first && second {
			u.addPlural(file, one, other)
		}
		return
	}
	for _, i := range textArguments[name] {
		if i < len(n.Args) {
			u.text(file, n.Args[i])
		}
	}
}

// text adds a text if it is a literal, and reports texts put together from pieces.
func (u *usedTexts) text(file string, n ast.Expr) {
	if s, ok := literal(n); ok {
		u.add(file, s)
	} else if sum, ok := n.(*ast.BinaryExpr); ok {
		for _, part := range []ast.Expr{sum.X, sum.Y} {
			if s, ok := literal(part); ok {
				u.problem(file, "a text is put together from pieces, one of which is %q; use words.T with {0}", s)
			}
		}
	}
}

// literal returns the value of a string literal, or of a concatenation of literals.
func literal(n ast.Expr) (string, bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(n.Value)
		return s, err == nil && n.Kind == token.STRING
	case *ast.BinaryExpr:
		x, first := literal(n.X)
		y, second := literal(n.Y)
		return x + y, first && second
	}
	return "", false
}

var (
	placeholder = regexp.MustCompile(`\{\d\}`)
	markup      = regexp.MustCompile(`</?[a-zA-Z]|&[a-z]+;|&#`)
)

func placeholders(text string) string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}

func TestAllTextsAreTranslated(t *testing.T) {
	t.Parallel()
	used := usedByAdmin(t)
	catalogue, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"fr", "de"} {
		texts := catalogue.In(lang).Texts()
		for text, file := range used.used {
			translation, ok := texts[text]
			if placeholder.ReplaceAllString(text, "") == "" || !strings.ContainsFunc(text, unicode.IsLetter) {
				continue // only punctuation between placeholders
			}
			switch {
			case !ok || translation == "":
				t.Errorf("%s lacks %q (%s)", lang, text, file)
			case placeholders(translation) != placeholders(text):
				t.Errorf("%s: %q has other placeholders than %q", lang, translation, text)
			}
			if markup.MatchString(text + translation) {
				t.Errorf("%s: HTML in %q or %q (%s): use link, code or strong in place of {0}", lang, text, translation, file)
			}
		}
	}
}

func TestAllTranslationsAreUsed(t *testing.T) {
	t.Parallel()
	used := usedByAdmin(t)
	files, err := filepath.Glob("words/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"fr", "de"} {
		all, from := map[string]string{}, map[string]string{}
		for _, file := range files {
			if filepath.Base(filepath.Dir(file)) != lang {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts := map[string]string{}
			if err := json.Unmarshal(data, &texts); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for text, translation := range texts {
				if used.used[text] == "" && !used.strings[text] {
					t.Errorf("%s has %q, which no page says", file, text)
				}
				if other, ok := all[text]; ok && other != translation {
					t.Errorf("%s and %s translate %q differently", from[text], file, text)
				}
				all[text], from[text] = translation, file
			}
		}
	}
}
