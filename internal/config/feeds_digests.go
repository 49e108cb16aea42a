package config

import "time"

// Feed is one named selection of articles.
type Feed struct {
	// Name in its address, /feeds/NAME.xml: lower-case letters, digits and hyphens.
	Name string `yaml:"name"`
	// Title for readers; the site's when empty.
	Title string `yaml:"title"`
	// One sentence about it; the site's when empty.
	Description string `yaml:"description"`
	// Filter of its articles; all articles when empty.
	Filter Filter `yaml:"filter"`
	// Number of articles in its newest document, 1 to 1000. Older ones are in its archive pages.
	Limit int `yaml:"limit"`
	// full for whole articles, summary for summaries.
	Content string `yaml:"content"`
	// Language of a feed in one language; the site's when empty.
	Language string `yaml:"language"`
	// How long caches may keep its documents (Cache-Control).
	MaxAge time.Duration `yaml:"max_age"`
	// Makes the feed a podcast: adds the itunes elements.
	Podcast *Podcast `yaml:"podcast"`
}

// Podcast adds the itunes elements to a feed.
type Podcast struct {
	// Name of its author.
	Author string `yaml:"author"`
	// Contact for podcast directories: "Name <address>".
	Owner string `yaml:"owner"`
	// Address of its square cover picture.
	Image string `yaml:"image"`
	// Category of Apple's list, such as News, or Arts > Design.
	Category string `yaml:"category"`
	// Whether it has explicit content.
	Explicit bool `yaml:"explicit"`
	// episodic (newest first) or serial (in order).
	Type string `yaml:"type"`
	// A short description in one line.
	Subtitle string `yaml:"subtitle"`
	// Whether directories leave the podcast out.
	Block bool `yaml:"block"`
	// Whether no more episodes will follow.
	Complete bool `yaml:"complete"`
	// Whether other platforms may not import the podcast without its owner.
	Locked bool `yaml:"locked"`
	// Its podcast:guid; made from the address of the feed when empty. Set it before the feed moves.
	GUID string `yaml:"guid"`
	// People who take part in every episode.
	Persons []Person `yaml:"persons"`
}

// Person takes part in a podcast.
type Person struct {
	// Name of the person.
	Name string `yaml:"name"`
	// Role, such as host or guest.
	Role string `yaml:"role"`
	// Group of the role, such as cast or writing.
	Group string `yaml:"group"`
	// Address of a page about the person.
	URL string `yaml:"url"`
	// Address of a picture.
	Image string `yaml:"image"`
}

// FeedSet holds the settings of all feeds.
type FeedSet struct {
	// Maximum memory for rendered feeds; rendered pages may take as much again.
	Memory Size `yaml:"memory"`
	// WebSub hubs to notify of changes.
	Hubs []string `yaml:"hubs"`
	// Whether Atom documents list removed articles (RFC 6721).
	Tombstones bool `yaml:"tombstones"`
	// Clients that poll more often without a condition get 429 with Retry-After; 0s turns this off.
	RetryAfter time.Duration `yaml:"retry_after"`
}

// Digest is a named, recurring mail.
type Digest struct {
	// Name in addresses and commands: lower-case letters, digits and hyphens.
	Name string `yaml:"name"`
	// Title for readers: a text, or one per language, such as {en: The Week, fr: La semaine}; the site's when empty.
	Title Text `yaml:"title"`
	// One sentence about it, on the subscription page: a text, or one per language.
	Description Text `yaml:"description"`
	// Markdown before the articles of each mail: a text, or one per language. An editor's intro of an edition replaces it.
	Intro Text `yaml:"intro"`
	// Lines in the footer of its mails, as text: a text, or one per language; the brand's footer when empty.
	Footer Text `yaml:"footer"`
	// active, paused: no editions are made on the schedule, drafts included, and drafts that wait for their time are held; or archived: paused, and not offered to new subscribers. Editors can still send an edition by hand.
	Status string `yaml:"status"`
	// Cron spec: minute hour day-of-month month day-of-week, six fields with seconds first, or @weekly and the like. Day of month and day of week are ORed when both are given. A time that the clock skips in spring is moved later by the skipped hour; a time that occurs twice in autumn is used once.
	Schedule string `yaml:"schedule"`
	// Timezone of the schedule; the site's when empty.
	Timezone string `yaml:"timezone"`
	// After downtime: latest sends only the newest missed tick, each sends every one.
	Missed string `yaml:"missed"`
	// Filter of its articles; all articles when empty.
	Filter Filter `yaml:"filter"`
	// Minimum number of new articles for an edition; fewer wait for the next.
	MinArticles int `yaml:"min_articles"`
	// Maximum number of articles in an edition; the others wait for the next.
	MaxArticles int `yaml:"max_articles"`
	// Which articles to take when there are more than max_articles: newest, or oldest for those that have waited longest.
	Prefer string `yaml:"prefer"`
	// How long an article waits before an edition takes it, such as 2d. The time counts from its import, or from its own date if that is later. Empty for no delay.
	After time.Duration `yaml:"after"`
	// Order in which articles are shown: newest first, oldest first, or weight: by the weight in their front matter, lowest first, and then newest first.
	Order string `yaml:"order"`
	// A tag. The newest article with it is shown first and largest; without one it is the first in the order.
	Lead string `yaml:"lead"`
	// Sections with headings, in the order shown. An article is in the first section that selects it. Those that no section selects come before the sections, or in the section that selects all.
	Sections []DigestSection `yaml:"sections"`
	// How much of each article is shown: full, summary or title. When empty, what the template shows.
	Form string `yaml:"form"`
	// source puts the articles of one source together below its name: the publication that a feed names for the article, or the host of its canonical address. Not together with sections.
	GroupBy string `yaml:"group_by"`
	// Parameters that mails add to the links to articles on this site, such as utm_source=news&utm_campaign={digest}-{number}. The placeholders are {digest}, {number}, {date} and {section}. A parameter that a link has already stays as it is.
	LinkParameters string `yaml:"link_parameters"`
	// Further hosts whose links get the parameters, such as blog.example.org.
	LinkHosts []string `yaml:"link_hosts"`
	// Mail template: magazine, letter, brief, digest, or one of your own.
	Template string `yaml:"template"`
	// Template of the subject line; see docs/templates.md.
	Subject string `yaml:"subject"`
	// From: "Name <address>".
	Sender string `yaml:"sender"`
	// Address for replies; the sender when empty.
	ReplyTo string `yaml:"reply_to"`
	// Language of a digest in one language. When empty, each subscriber gets the articles in their own language.
	Language string `yaml:"language"`
	// Whether mails ask if the edition was helpful. The two links open a page with a button; only the numbers of answers are stored.
	Feedback bool `yaml:"feedback"`
	// automatic, manual: an editor approves each edition, or two: two different editors approve it.
	Approval string `yaml:"approval"`
	// How long before its tick an edition is drafted and sent to the editors as a proof, such as 24h. With 0s it is drafted at the tick. See docs/proofs.md.
	DraftBefore time.Duration `yaml:"draft_before"`
	// With draft_before, what happens at the tick when the approvals are missing: send it, hold it as a draft, or skip the edition, so that its articles wait for the next one. When empty, send with automatic approval and hold otherwise.
	AtDeadline string `yaml:"at_deadline"`
	// Whether search engines may list the page of its editions and the editions, true or false; as site.index_editions when empty.
	IndexEditions *bool `yaml:"index_editions"`
	// Who gets mails about its editions: editors for all of them, owners, or none. Or a map that also says about what.
	Notify Notify `yaml:"notify"`
}

// Paused reports whether no editions are made on the digest's schedule.
func (d *Digest) Paused() bool { return d.Status == "paused" || d.Archived() }

// Archived reports whether the digest is also not offered to new subscribers.
func (d *Digest) Archived() bool { return d.Status == "archived" }

// DigestSection is one section of a digest.
type DigestSection struct {
	// Heading of the section: a text, or one per language.
	Title Text `yaml:"title"`
	// Name in link parameters and in edits of a draft; made from the tag or the title when empty.
	Name string `yaml:"name"`
	// Tag of its articles.
	Tag string `yaml:"tag"`
	// Filter of its articles, in place of a tag. A section with neither selects all articles that no other section selects.
	Filter Filter `yaml:"filter"`
	// How much of each of its articles is shown: full, summary or title; the digest's form when empty.
	Form string `yaml:"form"`
}

// Notify says who gets mails about the editions of a digest, and about what. In the file it is a
// map, or only the value of To.
type Notify struct {
	// Who gets the mails: editors for all of them, owners, or none.
	To string `yaml:"to"`
	// Proofs, and drafts that need an approval, are mailed; true when empty.
	Proof *bool `yaml:"proof"`
	// An edition is held at its send time; true when empty.
	Held *bool `yaml:"held"`
	// An edition was sent to everyone; false when empty.
	Sent *bool `yaml:"sent"`
	// An edition failed; true when empty. Owners get this as an alert instead, unless health.alerts is off.
	Failed *bool `yaml:"failed"`
	// An edition is skipped at its send time; true when empty.
	Skipped *bool `yaml:"skipped"`
	// A relay was stopped because it refuses our mail, at most once in 12 hours; true when empty. Owners get this as an alert instead, unless health.alerts is off.
	Relay *bool `yaml:"relay"`
	// Too many recipients reported an edition as spam (delivery.complaints_warn); true when empty.
	Complaints *bool `yaml:"complaints"`
	// An edition was paused because of complaints or dead addresses; true when empty. Owners get this as an alert instead, unless health.alerts is off.
	Paused *bool `yaml:"paused"`
}
