package article

import "time"

// Written is an article as an editor writes it in the browser: a Markdown text, and the fields
// that a file has in its front matter.
type Written struct {
	Title    string   `json:"title,omitempty"`
	Slug     string   `json:"slug,omitempty"` // empty to make it from the title
	Summary  string   `json:"summary,omitempty"`
	Image    string   `json:"image,omitempty"` // path or URL of the lead picture
	ImageAlt string   `json:"image_alt,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Authors  []string `json:"authors,omitempty"`  // names, or names with an address: Ada <ada@example.org>
	Language string   `json:"language,omitempty"` // BCP 47 tag; empty to detect it
	// TranslationOf is the id of an article in another language; empty for none.
	TranslationOf string    `json:"translation_of,omitempty"`
	Published     time.Time `json:"published,omitzero"` // zero for the time at which it is published
	Expires       time.Time `json:"expires,omitzero"`   // zero for never
	Unlisted      bool      `json:"unlisted,omitempty"`
	Text          string    `json:"text,omitempty"` // in Markdown
}
