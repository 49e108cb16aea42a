package templates

// A template that prints a whole struct, such as {{.}}, gets its name. Without
// these methods it would get the addresses of pointers, and other bytes on
// every node.

// String is the digest's title.
func (d Digest) String() string { return d.Digest.Title }

// String is the mail's subject.
func (p Page) String() string { return p.Subject }

// String is the site's title.
func (s Site) String() string { return s.Title }

// String is the digest's title.
func (p Publication) String() string { return p.Title }

// String is the article's title.
func (a Article) String() string { return a.Title }

// String is the article's title.
func (l Link) String() string { return l.Title }

// String is the image's address.
func (i Image) String() string { return i.URL }

// String is the heading, or else the subject.
func (n Notice) String() string {
	if n.Heading != "" {
		return n.Heading
	}
	return n.Subject
}
