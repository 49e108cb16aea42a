package feed

import "fmt"

// Format is one of the three document formats of a feed.
type Format string

// The formats. Their values are the last element of a feed's path.
const (
	FormatRSS  Format = "feed.xml"
	FormatAtom Format = "atom.xml"
	FormatJSON Format = "feed.json"
)

// Formats are all formats; the one that most feed readers prefer is first.
var Formats = []Format{FormatRSS, FormatAtom, FormatJSON}

// MediaType returns the media type of documents in the format.
func (f Format) MediaType() string {
	switch f {
	case FormatAtom:
		return "application/atom+xml"
	case FormatJSON:
		return "application/feed+json"
	}
	return "application/rss+xml"
}

// Label returns the name of the format for people.
func (f Format) Label() string {
	switch f {
	case FormatAtom:
		return "Atom"
	case FormatJSON:
		return "JSON Feed"
	}
	return "RSS"
}

// Render writes a prepared selection as a document of the format.
func (f Format) Render(p *Prepared) ([]byte, error) {
	switch f {
	case FormatRSS:
		return RSS(p)
	case FormatAtom:
		return Atom(p)
	case FormatJSON:
		return JSON(p)
	}
	return nil, fmt.Errorf("unknown feed format %q; use %s, %s or %s", f, FormatRSS, FormatAtom, FormatJSON)
}
