package article_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/internal/article"
)

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

func TestStatusFollowsTheTime(t *testing.T) {
	t.Parallel()
	before, after := noon.Add(-time.Millisecond), noon.Add(time.Millisecond)
	for name, c := range map[string]struct {
		a        article.Article
		status   article.Status
		listed   bool
		readable bool
	}{
		"published":             {article.Article{Status: article.Published, Published: before}, article.Published, true, true},
		"published now":         {article.Article{Status: article.Published, Published: noon}, article.Published, true, true},
		"published later":       {article.Article{Status: article.Published, Published: after}, article.Scheduled, false, false},
		"expires later":         {article.Article{Status: article.Published, Published: before, Expires: after}, article.Published, true, true},
		"expires now":           {article.Article{Status: article.Published, Published: before, Expires: noon}, article.Withdrawn, false, false},
		"expired before it was": {article.Article{Status: article.Published, Published: after, Expires: before}, article.Withdrawn, false, false},
		"unlisted":              {article.Article{Status: article.Unlisted, Published: before}, article.Unlisted, false, true},
		"unlisted later":        {article.Article{Status: article.Unlisted, Published: after}, article.Scheduled, false, false},
		"unlisted, expired":     {article.Article{Status: article.Unlisted, Published: before, Expires: noon}, article.Withdrawn, false, false},
		"draft":                 {article.Article{Status: article.Draft, Published: before}, article.Draft, false, false},
		"draft, expired":        {article.Article{Status: article.Draft, Published: before, Expires: before}, article.Draft, false, false},
		"draft for later":       {article.Article{Status: article.Draft, Published: after}, article.Draft, false, false},
		"removed":               {article.Article{Status: article.Removed, Published: before}, article.Withdrawn, false, false},
		"withdrawn for later":   {article.Article{Status: article.Withdrawn, Published: after}, article.Withdrawn, false, false},
		"without a date":        {article.Article{Status: article.Published}, article.Published, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := c.a.StatusAt(noon)
			if status != c.status || c.a.Listed(noon) != c.listed || c.a.Readable(noon) != c.readable {
				t.Errorf("%s, listed %v, readable %v", status, c.a.Listed(noon), c.a.Readable(noon))
			}
			if !slices.Contains(article.Statuses, status) {
				t.Errorf("%s is not one of the statuses that are shown", status)
			}
		})
	}
}

// TestStatusAgreesWithWhoMayRead: what is shown as published is listed, and only what is published or
// unlisted is readable, at any time.
func TestStatusAgreesWithWhoMayRead(t *testing.T) {
	t.Parallel()
	for _, status := range []article.Status{article.Draft, article.Published, article.Unlisted, article.Removed, article.Withdrawn} {
		for hours := range 64 {
			a := article.Article{Status: status, Published: noon.Add(time.Duration(hours%4) * time.Hour)}
			if expires := hours / 4 % 4; expires > 0 {
				a.Expires = noon.Add(time.Duration(expires) * time.Hour)
			}
			now := noon.Add(time.Duration(hours/16) * time.Hour)
			shown := a.StatusAt(now)
			if a.Listed(now) != (shown == article.Published) || a.Readable(now) != (shown == article.Published || shown == article.Unlisted) {
				t.Fatalf("%+v at %s is %s, listed %v, readable %v", a, now, shown, a.Listed(now), a.Readable(now))
			}
		}
	}
}

// full returns an article with a value in each field that an import sets.
func full() article.Article {
	yes := true
	return article.Article{
		Slug: "slug", URL: "https://a.example/", Title: "T", Summary: "S", HTML: "<p>x</p>", Language: "en", Authors: []article.Author{{Name: "Ada"}}, Tags: []string{"go"},
		Image: &article.Image{URL: "/media/a.png"}, Enclosure: []article.Enclosure{{URL: "/media/a.mp3"}}, Origin: &article.Origin{Title: "Quay"},
		Episode: &article.Episode{Number: 1, Explicit: &yes}, Weight: 5, Published: noon, Updated: noon, Expires: noon, Status: article.Published,
	}
}

// TestHashChangesWithEachFieldThatAnImportSets changes one field after the other.
func TestHashChangesWithEachFieldThatAnImportSets(t *testing.T) {
	t.Parallel()
	whole := full()
	want := whole.ContentHash()
	if same := full(); same.ContentHash() != want || len(want) != 64 {
		t.Fatalf("the same article has the hashes %s and %s", want, same.ContentHash())
	}
	ours := []string{"ID", "Source", "Ingested", "Removed", "Hash", "GUID", "Named", "Content", "Translation", "Translations"} // set by the store, or not content
	for i := range reflect.TypeFor[article.Article]().NumField() {
		a := full()
		field, name := reflect.ValueOf(&a).Elem().Field(i), reflect.TypeFor[article.Article]().Field(i).Name
		if slices.Contains(ours, name) {
			switch field.Kind() {
			case reflect.String:
				field.SetString("other")
			case reflect.Bool:
				field.SetBool(true)
			}
			if a.ContentHash() != want {
				t.Errorf("%s changes the hash", name)
			}
			continue
		}
		field.SetZero()
		if a.ContentHash() == want {
			t.Errorf("%s does not change the hash", name)
		}
	}
	moved := full()
	moved.Published = moved.Published.Add(time.Microsecond) // stored in milliseconds
	if moved.ContentHash() != want {
		t.Error("a microsecond changes the hash, so that each import would be a change")
	}
	moved.Published = noon.In(time.FixedZone("x", 3600))
	if moved.ContentHash() != want {
		t.Error("the zone changes the hash")
	}
}

func TestFingerprintIsThatOfTheWords(t *testing.T) {
	t.Parallel()
	of := func(source string) string { return (&article.Article{HTML: source}).Fingerprint() }
	want := of("<p>The ferry, <b>at nine</b>.</p>")
	for _, same := range []string{"<h2>the FERRY</h2><ul><li>At</li><li>nine</li></ul>", "The  ferry\nat nine!", "<p>The&nbsp;ferry – at <a href='/x'>nine</a></p>"} {
		if of(same) != want {
			t.Errorf("%q has another fingerprint", same)
		}
	}
	for _, other := range []string{"<p>The ferry at ten</p>", "ferry The at nine", "The ferry atnine", "Theferry at nine"} {
		if of(other) == want {
			t.Errorf("%q has the same fingerprint", other)
		}
	}
	for _, none := range []string{"", "<img src='a'>", " … – ! "} {
		if got := of(none); got != "" {
			t.Errorf("%q has the fingerprint %s", none, got)
		}
	}
	if len(want) != 32 {
		t.Errorf("%s has %d characters", want, len(want))
	}
}

func TestSimilarityIsAboutTheSharedRunsOfWords(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 4))
	wordsOf := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprint("w", random.IntN(1e9))
		}
		return out
	}
	hash := func(words []string) article.MinHash {
		return (&article.Article{HTML: strings.Join(words, " ")}).MinHash()
	}
	for range 20 {
		shared, a, b := wordsOf(1000), wordsOf(500), wordsOf(500)
		whole, first, second := hash(shared), hash(append(slices.Clone(shared), a...)), hash(append(slices.Clone(shared), b...))
		if len(whole) != 128 || !slices.IsSorted(whole) {
			t.Fatalf("%d hashes", len(whole))
		}
		if got := whole.Similar(whole); got != 1 {
			t.Errorf("a text and itself: %v", got)
		}
		if got := hash(a).Similar(hash(b)); got > 0.1 {
			t.Errorf("two different texts: %v", got)
		}
		if got := first.Similar(second); got < 0.25 || got > 0.75 { // one half of the runs are in both
			t.Errorf("half of two texts is the same: %v", got)
		}
		if first.Similar(second) != second.Similar(first) {
			t.Error("the order matters")
		}
	}
	empty := hash(nil)
	short := hash([]string{"one", "two"})
	if empty.Similar(empty) != 0 || empty.Similar(short) != 0 || short.Similar(empty) != 0 || short.Similar(hash([]string{"one", "two"})) != 1 || len(short) != 2 {
		t.Errorf("short texts: %v", short)
	}
}

func TestSourceKeyNamesWhereAnArticleComesFrom(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]article.Article{
		article.FromBrowser:      {Source: article.BrowserSource + "1", Origin: &article.Origin{Title: "x"}},
		article.FromFiles:        {Source: "posts/a.md"},
		"The Quay":               {Source: "https://a.example", Origin: &article.Origin{Title: " The Quay ", URL: "https://a.example"}},
		"https://a.example/feed": {Origin: &article.Origin{URL: "https://a.example/feed"}},
		strings.Repeat("é", 200): {Origin: &article.Origin{Title: strings.Repeat("é", 300)}},
		strings.Repeat("x", 199): {Origin: &article.Origin{Title: strings.Repeat("x", 199) + " y"}},
	} {
		if got := article.SourceKey(&a); got != want {
			t.Errorf("%+v is from %q, want %q", a.Origin, got, want)
		}
		if !(article.Filter{Expr: article.From{Key: want}}).Match(&a) {
			t.Errorf("source:%q does not select it", want)
		}
	}
	if got := article.SourceKey(&article.Article{Origin: &article.Origin{}}); got != article.FromFiles {
		t.Errorf("an origin without anything: %q", got)
	}
}

func TestMediaOfTheSiteAreToldFromOthers(t *testing.T) {
	t.Parallel()
	const site = "https://press.example/"
	for link, want := range map[string]bool{
		"/media/a.png": true, "https://press.example/media/a.png": true, "https://press.example/articles/a": false, "https://other.example/media/a.png": false,
		"media/a.png": false, "//press.example/media/a.png": false, "/mediation": false, "": false, "https://press.example.evil/media/a.png": false,
	} {
		if got := article.IsMedia(link, site); got != want {
			t.Errorf("%q: %v", link, got)
		}
		_, found := article.Pictures{"a.png": {}}.At(link, site)
		if found != want {
			t.Errorf("the image at %q: %v", link, found)
		}
	}
}

func TestSizesKeepTheProportions(t *testing.T) {
	t.Parallel()
	c := article.Copy{Width: 400, Height: 300}
	for given, want := range map[[2]int][2]int{
		{0, 0}: {400, 300}, {200, 0}: {200, 150}, {0, 150}: {200, 150}, {10, 10}: {10, 10}, {1, 0}: {1, 1}, {0, 1}: {1, 1}, {-5, 0}: {400, 300}, {-5, 30}: {40, 30}, {800, 0}: {800, 600},
	} {
		if w, h := c.Size(given[0], given[1]); [2]int{w, h} != want {
			t.Errorf("%v: %d x %d, want %v", given, w, h, want)
		}
	}
	for _, unknown := range []article.Copy{{}, {Width: 400}, {Height: 300}} {
		if w, h := unknown.Size(100, 0); w != 100 || h != 0 {
			t.Errorf("of unknown size: %d x %d", w, h)
		}
	}
	if w, h := (article.Copy{Width: 1, Height: 65535}).Size(1<<40, 0); w != 1<<40 || h <= 0 {
		t.Errorf("an absurd width: %d x %d", w, h)
	}
}

func TestLeadImageIsTheLargestCopy(t *testing.T) {
	t.Parallel()
	small, large := article.Copy{Name: "s.jpg", Type: "image/jpeg", Width: 500, Height: 250, Bytes: 1}, article.Copy{Name: "l.jpg", Type: "image/jpeg", Width: 1600, Height: 800, Bytes: 2}
	whole := article.Copy{Name: "w.jpg", Type: "image/jpeg", Width: 9000, Height: 4500, Bytes: 3}
	given := &article.Image{URL: "/media/w.jpg", Alt: "A boat", Type: "?", Bytes: 9}
	for name, c := range map[string]struct {
		picture article.Picture
		want    article.Copy
	}{
		"with copies":    {article.Picture{Copy: whole, Copies: []article.Copy{small, large}}, large},
		"without copies": {article.Picture{Copy: whole}, whole},
		"an animation":   {article.Picture{Copy: whole, Animated: true, Copies: []article.Copy{small, large}}, whole},
	} {
		if got := c.picture.Lead(given); *got != (article.Image{URL: "/media/" + c.want.Name, Alt: "A boat", Type: "image/jpeg", Bytes: c.want.Bytes, Width: c.want.Width, Height: c.want.Height}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if given.URL != "/media/w.jpg" || given.Bytes != 9 {
		t.Error("the image that was given is changed")
	}
	if _, ok := (article.Picture{Copy: whole}).ForMail(500); ok {
		t.Error("an image without copies is put into mails")
	}
}

func TestHTMLThatIsCostlyToParseIsFound(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"":                                    false,
		strings.Repeat("<p>a</p>", 100_000):   false,
		strings.Repeat("<b>a</b><p>", 50_000): false,
		strings.Repeat("<b>", 300) + strings.Repeat("<p>", 1000):                               true,
		strings.Repeat("<b>", 300) + strings.Repeat("</b>", 300) + strings.Repeat("<p>", 1000): false,
		strings.Repeat("<a>", 5000) + strings.Repeat("<p>", 5000):                              false, // one a closes the other
		strings.Repeat("<i><u><s>", 100) + strings.Repeat("<div>", 1000):                       true,
		strings.Repeat("<span>", 5000):                                                         false,
		strings.Repeat("</b>", 5000) + strings.Repeat("<p>", 5000):                             false,
	} {
		if got := article.CostlyToParse(source); got != want {
			t.Errorf("%.40q (%d bytes): %v", source, len(source), got)
		}
	}
}

// TestPlainTextAgreesWithTheParser compares the text of well-formed HTML with that of the tree.
func TestPlainTextAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 5))
	elements := []string{"p", "div", "ul", "li", "b", "em", "a", "code", "blockquote", "h2", "span", "table"}
	texts := []string{"one", " two ", "&amp;", "&lt;b&gt;", "é", "日本", "&#8364;", "\n", "a&nbsp;b"}
	var build func(depth int) string
	build = func(depth int) string {
		var out strings.Builder
		for range random.IntN(4) {
			if depth == 0 || random.IntN(2) == 0 {
				out.WriteString(texts[random.IntN(len(texts))])
				continue
			}
			name := elements[random.IntN(len(elements))]
			out.WriteString("<" + name + ">" + build(depth-1) + "</" + name + ">")
		}
		return out.String()
	}
	strip := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for range 500 {
		source := build(4)
		root, err := html.Parse(strings.NewReader(source))
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for n := range root.Descendants() {
			if n.Type == html.TextNode {
				want.WriteString(n.Data)
			}
		}
		got := article.PlainText(source)
		// The parser moves text out of tables, so only the letters are compared.
		a, b := []rune(strip(got)), []rune(strip(want.String()))
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Fatalf("%s\nhas the text %q, want %q", source, got, want.String())
		}
	}
}

func TestTextOfBlocksIsSeparated(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"<p>a</p><p>b</p>":              "\na\n\nb\n",
		"a<br>b<hr/>c":                  "a\nb\nc",
		"a<b>b</b><wbr>c<span>d</span>": "abcd",
		"<ul><li>a<li>b":                "\n\na\nb",
		"a<!-- b -->c":                  "ac",
		"a &lt;b&gt; &amp;amp;":         "a <b> &amp;",
		"a<B>b</B>":                     "ab",
		"<unknown>a</unknown>":          "\na\n",
	} {
		if got := article.PlainText(source); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

// TestMarkedTextIsWhole: the segments of a text are the text, and all of its words are found.
func TestMarkedTextIsWhole(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 6))
	pieces := []string{"ferry", "Ferry", "FERRIES", "the", "été", "E\u0301te\u0301", "straße", "灯", "台", "½", "ﬁne", " ", " ", ", ", "-", "\n", "2026", "ไทย", "’", "\u0301", "İ"}
	for range 2000 {
		var source strings.Builder
		for range random.IntN(14) {
			source.WriteString(pieces[random.IntN(len(pieces))])
		}
		text := source.String()
		var phrases [][]string
		for range 1 + random.IntN(3) {
			if words := article.Words(pieces[random.IntN(len(pieces))] + " " + pieces[random.IntN(len(pieces))]); len(words) > 0 {
				phrases = append(phrases, words[:1+random.IntN(len(words))])
			}
		}
		var whole strings.Builder
		marked := 0
		for _, s := range article.Mark(text, phrases) {
			whole.WriteString(s.Text)
			if s.Text == "" {
				t.Fatalf("%q has an empty segment", text)
			}
			if s.Marked {
				marked++
			}
		}
		if whole.String() != text {
			t.Fatalf("%q with %q marked becomes %q", text, phrases, whole.String())
		}
		if count := article.CountPhrases(text, phrases); (count > 0) != (marked > 0) || count > len(phrases) {
			t.Fatalf("%q has %d of %q and %d marks", text, count, phrases, marked)
		}
		for _, n := range []int{0, 1, 10, 1000} {
			excerpt := article.Excerpt(text, phrases, n)
			if (excerpt == nil) != (marked == 0) {
				t.Fatalf("the excerpt of %q around %q is %v, with %d marks", text, phrases, excerpt, marked)
			}
		}
	}
}

func TestExcerptsAreCutAtWords(t *testing.T) {
	t.Parallel()
	text := "one two three four five six seven eight nine ten"
	for _, c := range []struct {
		word string
		n    int
		want string
	}{
		{"one", 10, "[one] two …"},
		{"ten", 10, "… [ten]"},
		{"five", 15, "… [five] six seven …"},
		{"five", 1, "… [five] …"},
		{"five", 1000, "one two three four [five] six seven eight nine ten"},
	} {
		if got := shown(article.Excerpt(text, [][]string{{c.word}}, c.n)); got != c.want {
			t.Errorf("%d bytes around %s: %q, want %q", c.n, c.word, got, c.want)
		}
	}
}

func TestFiltersAtTheirLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ expr, want string }{
		"as many terms as may be":  {strings.TrimSuffix(strings.Repeat("a OR ", 100), " OR "), ""},
		"more terms than may be":   {strings.Repeat("a OR ", 101) + "a", "more than 100 terms"},
		"as long as may be":        {strings.Repeat("a", 2000), ""},
		"longer than may be":       {strings.Repeat("a", 2001), "the filter has 2001 characters; at most 2000 are read"},
		"as deep as may be":        {strings.Repeat("(", 50) + "a" + strings.Repeat(")", 50), ""},
		"deeper than may be":       {strings.Repeat("(", 51) + "a" + strings.Repeat(")", 51), "nested deeper than 50"},
		"NOT as deep as may be":    {strings.Repeat("NOT ", 50) + "a", ""},
		"NOT deeper than may be":   {strings.Repeat("NOT ", 51) + "a", "nested deeper than 50"},
		"a text without words":     {`text:"!?"`, "text: needs a word after it, such as text:golang"},
		"an author without a name": {`author:" "`, "empty quotes; write a tag between them"},
		"a prefix at the end":      {"a AND author:", "author: needs a word after it, such as author:golang"},
		"a prefix before brackets": {"tag:(a)", "tag: needs a word after it, such as tag:golang"},
		"a backslash at the end":   {`"a\`, "is never closed"},
		"spaces only":              {" \t\n", ""},
		"two quoted terms":         {`"a""b"`, `AND, OR or the end is expected before "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := article.ParseFilter(c.expr)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestAnyOfSelectsArticlesWithOneOfTheValues(t *testing.T) {
	t.Parallel()
	tag := func(value string) article.Node { return article.Tag{Key: article.TagKey(value)} }
	for _, c := range []struct {
		values []string
		want   string
	}{{nil, ""}, {[]string{"Go"}, `tag:"go"`}, {[]string{"a", "b", "c"}, `((tag:"a" OR tag:"b") OR tag:"c")`}} {
		f := article.AnyOf(c.values, tag)
		if f.String() != c.want {
			t.Errorf("%q: %s, want %s", c.values, f, c.want)
		}
		for _, value := range append([]string{"other"}, c.values...) {
			if got := f.Match(&article.Article{Tags: []string{value}}); got != (len(c.values) == 0 || slices.Contains(c.values, value)) {
				t.Errorf("%s selects %q: %v", f, value, got)
			}
		}
	}
}
