package templates

import "errors"

// Mail is one mail template: an HTML part and a text part.
type Mail struct {
	Name string
}

// Rendered is a filled mail.
type Rendered struct {
	Subject string // only of notices; a digest's has a template of its own
	HTML    string // with styles inlined
	Text    string
}

// Render fills the template with a Digest or a Notice and moves its styles into
// the elements, as mail programs want them.
func (m *Mail) Render(data any) (Rendered, error) {
	return Rendered{}, errors.New("templates: not rendered")
}
