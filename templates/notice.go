package templates

import "time"

// Notice is what the mails other than digests are given: confirm, welcome, signin
// and notice. Its fields are real values, not marks.
type Notice struct {
	Page
	Digests []Publication // that it is about; may be empty
	Name    string        // of the person; may be empty
	Address string        // of the person
	Link    string        // URL of the button; empty for none in welcome and notice
	Expires time.Time     // when the link stops working; zero for never
	Heading string        // of a notice
	Lines   []string      // paragraphs of a notice
	Button  string        // words on the button of a notice
	Reader  Reader        // the links of a welcome
}

// Titles are the digests' titles, such as "The Daily and The Weekly"; the site's
// title when there are none.
func (n Notice) Titles() string {
	if len(n.Digests) == 0 {
		return n.Site.Title
	}
	titles := make([]string, len(n.Digests))
	for i, d := range n.Digests {
		titles[i] = d.Title
	}
	return n.List(titles)
}

// Greeting is "Hello Anna," or, for someone without a name, "Hello,".
func (n Notice) Greeting() (string, error) {
	if n.Name == "" {
		return n.Phrase("hello_nobody")
	}
	return n.Phrase("hello", n.Name)
}
