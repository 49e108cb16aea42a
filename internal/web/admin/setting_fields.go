package admin

import "github.com/tidings-press/tidings/internal/words"

// settingText is how a setting is named and explained.
type settingText struct{ Label, Hint words.Text }

// settingTexts name the settings that may be changed in the admin, by key.
var settingTexts = map[string]settingText{
	"site.title":          {words.T("Name of the publication"), words.T("On pages, in feeds and in emails.")},
	"site.description":    {words.T("Description"), words.T("One sentence about the publication.")},
	"site.copyright":      {words.T("Copyright line"), words.T("In the feeds, such as {0}.", "© 2026 Example Press")},
	"site.language":       {words.T("Language"), words.T("A language tag such as {0}.", "en, pt-BR")},
	"site.languages":      {words.T("Languages of the pages"), words.T("Language tags, separated by commas. When empty, the main language and those of the articles.")},
	"site.timezone":       {words.T("Timezone"), words.T("A name such as {0}. It applies to all dates, and to digests without a timezone of their own.", "Europe/Paris")},
	"site.editor":         {words.T("Responsible for the content"), words.T("A name and an email address: {0}", "Ann Smith <ann@example.org>")},
	"site.webmaster":      {words.T("Responsible for the technology"), words.T("A name and an email address: {0}", "Ann Smith <ann@example.org>")},
	"site.index_editions": {words.T("Search engines may list the web pages of editions"), words.Text{}},
	"site.icon":           {words.T("Icon"), words.T("Web address of a small square picture.")},
	"site.image":          {words.T("Picture"), words.T("Web address of a larger picture.")},

	"brand.logo":             {words.T("Logo"), words.T("Shown at the top of emails in place of the name. A PNG, JPEG or GIF.")},
	"brand.light.accent":     {words.T("Accent"), words.T("Links, buttons and the band at the top.")},
	"brand.light.on_accent":  {words.T("Text on the accent"), words.T("Black or white when empty.")},
	"brand.light.ink":        {words.T("Text color"), words.Text{}},
	"brand.light.soft":       {words.T("Secondary text"), words.Text{}},
	"brand.light.background": {words.T("Background"), words.T("Behind the column.")},
	"brand.light.content":    {words.T("Column"), words.Text{}},
	"brand.dark.accent":      {words.T("Accent in dark mode"), words.T("Made from the accent when empty.")},
	"brand.dark.ink":         {words.T("Text color in dark mode"), words.Text{}},
	"brand.dark.background":  {words.T("Background in dark mode"), words.Text{}},
	"brand.dark.content":     {words.T("Column in dark mode"), words.Text{}},
	"brand.heading_font":     {words.T("Fonts of headings"), words.T("Names separated by commas, such as {0}. Built-in fonts follow.", "Iowan Old Style, Georgia")},
	"brand.text_font":        {words.T("Fonts of texts"), words.T("Names separated by commas, such as {0}. Built-in fonts follow.", "Iowan Old Style, Georgia")},
	"brand.footer":           {words.T("Footer of emails"), words.T("Lines of text.")},
	"brand.imprint":          {words.T("Imprint"), words.T("Web address of the page that says who publishes the emails.")},

	"mail.postal_address": {words.T("Postal address"), words.T("In the footer of every email. Many countries require it.")},
	"mail.owner":          {words.T("Owner of the list"), words.T("An email address; the sender’s when empty.")},
	"health.alerts":       {words.T("Owners get an email when sending has a problem"), words.Text{}},

	"digests[].status":           {words.T("State"), words.T("A paused digest makes no editions on its schedule, and drafts are held. An archived one is not offered to new subscribers either.")},
	"digests[].title":            {words.T("Title"), words.Text{}},
	"digests[].description":      {words.T("Description"), words.T("One sentence, on the subscription page.")},
	"digests[].intro":            {words.T("Introduction"), words.T("Markdown, above the articles of every email.")},
	"digests[].footer":           {words.T("Footer"), words.T("The publication’s footer when empty.")},
	"digests[].timezone":         {words.T("Timezone"), words.T("A name such as {0}; the publication’s when empty.", "Europe/Paris")},
	"digests[].filter.match":     {words.T("Tags as an expression"), words.T("Such as {0}. All articles when empty.", "golang AND NOT jobs")},
	"digests[].filter.tags":      {words.T("With one of these tags"), words.T("Separated by commas.")},
	"digests[].filter.authors":   {words.T("By one of these authors"), words.T("Separated by commas.")},
	"digests[].filter.languages": {words.T("In one of these languages"), words.T("Language tags, separated by commas.")},
	"digests[].filter.search":    {words.T("With these words"), words.T("In the title, the summary or the text.")},
	"digests[].min_articles":     {words.T("Articles at least"), words.T("With fewer new articles, no edition is made.")},
	"digests[].max_articles":     {words.T("Articles at most"), words.T("The others wait for the next edition.")},
	"digests[].prefer":           {words.T("When there are more articles, take"), words.Text{}},
	"digests[].after":            {words.T("Wait before an article is taken"), words.T("Such as {0}; an edition takes an article only after this time.", "2d")},
	"digests[].order":            {words.T("Order of the articles"), words.Text{}},
	"digests[].lead":             {words.T("Lead tag"), words.T("The newest article with this tag is shown first.")},
	"digests[].template":         {words.T("Template"), words.Text{}},
	"digests[].subject":          {words.T("Subject"), words.T("A template such as {0}.", "{{.Digest.Title}}: {{.First.Title}}")},
	"digests[].sender":           {words.T("Sender"), words.T("A name and an email address: {0}", "Ann Smith <ann@example.org>")},
	"digests[].reply_to":         {words.T("Replies go to"), words.T("The sender when empty.")},
	"digests[].language":         {words.T("Language"), words.T("When empty, all subscribers get the articles in their own language.")},
	"digests[].feedback":         {words.T("Ask subscribers whether the edition was helpful"), words.Text{}},
	"digests[].approval":         {words.T("Approval"), words.Text{}},
	"digests[].draft_before":     {words.T("Draft editions ahead by"), words.T("Such as {0}: the edition is drafted so long before its time and sent to the editors as a proof. With {1}, it is drafted at its time.", "24h", "0s")},
	"digests[].at_deadline":      {words.T("If approvals are missing at its time"), words.Text{}},
	"digests[].notify.to":        {words.T("Emails about editions go to"), words.Text{}},

	"feeds[].title":            {words.T("Title"), words.T("The publication’s name when empty.")},
	"feeds[].description":      {words.T("Description"), words.T("One sentence about the feed.")},
	"feeds[].filter.match":     {words.T("Tags as an expression"), words.T("Such as {0}. All articles when empty.", "golang AND NOT jobs")},
	"feeds[].filter.tags":      {words.T("With one of these tags"), words.T("Separated by commas.")},
	"feeds[].filter.authors":   {words.T("By one of these authors"), words.T("Separated by commas.")},
	"feeds[].filter.languages": {words.T("In one of these languages"), words.T("Language tags, separated by commas.")},
	"feeds[].filter.search":    {words.T("With these words"), words.T("In the title, the summary or the text.")},
	"feeds[].limit":            {words.T("Articles at most"), words.T("In the newest document, from 1 to 1000. Older ones are in archive pages.")},
	"feeds[].content":          {words.T("Content"), words.Text{}},
	"feeds[].language":         {words.T("Language"), words.T("A language tag such as {0}.", "en, pt-BR")},
}

// choiceTexts name the values of settings with a choice.
var choiceTexts = map[string]words.Text{
	"active": words.T("Active"), "paused": words.T("Paused"), "archived": words.T("Archived"),
	"newest": words.T("The newest first"), "oldest": words.T("The oldest first"), "weight": words.T("By weight, then the newest first"),
	"automatic": words.T("Editions are sent without an approval"), "manual": words.T("One editor approves each edition"), "two": words.T("Two editors approve each edition"),
	"send": words.T("Send the edition"), "hold": words.T("Hold the edition"), "skip": words.T("Skip the edition"),
	"editors": words.T("All editors"), "owners": words.T("Owners"), "none": words.T("No one"),
	"full": words.T("Whole articles"), "summary": words.T("Summaries"),
}

// settingSection is a part of a form.
type settingSection struct {
	Heading  words.Text
	Keys     []string // with empty brackets for a digest or feed
	Advanced bool     // closed at first
}

var digestSections = []settingSection{
	{Heading: words.T("Title and text"), Keys: []string{"digests[].title", "digests[].description", "digests[].intro", "digests[].footer"}},
	{Heading: words.T("Sender and subject"), Keys: []string{"digests[].sender", "digests[].reply_to", "digests[].subject"}},
	{Heading: words.T("Articles"), Keys: []string{"digests[].filter.tags", "digests[].max_articles", "digests[].min_articles", "digests[].order"}},
	{Heading: words.T("More rules for articles"), Advanced: true, Keys: []string{
		"digests[].filter.match", "digests[].filter.authors", "digests[].filter.languages", "digests[].filter.search",
		"digests[].prefer", "digests[].after", "digests[].lead",
	}},
	{Heading: words.T("Appearance"), Keys: []string{"digests[].template", "digests[].language", "digests[].feedback"}},
	{Heading: words.T("Drafts and approval"), Keys: []string{"digests[].approval", "digests[].draft_before", "digests[].at_deadline", "digests[].notify.to"}},
	{Heading: words.T("Pausing and archiving"), Keys: []string{"digests[].status"}},
}

var siteSections = []settingSection{
	{Heading: words.T("Publication"), Keys: []string{"site.title", "site.description", "site.copyright", "site.index_editions"}},
	{Heading: words.T("Languages and time"), Keys: []string{"site.language", "site.languages", "site.timezone"}},
	{Heading: words.T("Address and responsibility"), Keys: []string{"mail.postal_address", "brand.imprint", "brand.footer", "site.editor", "site.webmaster", "mail.owner"}},
	{Heading: words.T("Notices"), Keys: []string{"health.alerts"}},
	{Heading: words.T("Pictures"), Advanced: true, Keys: []string{"site.icon", "site.image"}},
}

var appearanceSections = []settingSection{
	{Heading: words.T("Top of emails"), Keys: []string{"brand.logo"}},
	{Heading: words.T("Colors"), Keys: []string{"brand.light.accent", "brand.light.on_accent", "brand.light.ink", "brand.light.soft", "brand.light.background", "brand.light.content"}},
	{Heading: words.T("Colors in dark mode"), Keys: []string{"brand.dark.accent", "brand.dark.ink", "brand.dark.background", "brand.dark.content"}},
	{Heading: words.T("Fonts"), Keys: []string{"brand.heading_font", "brand.text_font"}},
}

var feedSections = []settingSection{
	{Heading: words.T("Title and text"), Keys: []string{"feeds[].title", "feeds[].description", "feeds[].language"}},
	{Heading: words.T("Articles"), Keys: []string{"feeds[].filter.tags", "feeds[].limit", "feeds[].content"}},
	{Heading: words.T("More rules for articles"), Advanced: true, Keys: []string{"feeds[].filter.match", "feeds[].filter.authors", "feeds[].filter.languages", "feeds[].filter.search"}},
}
