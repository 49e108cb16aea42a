package article

// Episode holds what podcast feeds say of an article besides its text and its file: Apple's elements
// and those of the Podcasting 2.0 namespace.
type Episode struct {
	Number      int          `json:",omitempty"` // 0 for none
	Season      int          `json:",omitempty"` // 0 for none
	SeasonName  string       `json:",omitempty"`
	Kind        EpisodeKind  `json:",omitempty"` // empty for a full episode that is not marked
	Title       string       `json:",omitempty"` // without the numbers that the article's title may have; may be empty
	Subtitle    string       `json:",omitempty"`
	Explicit    *bool        `json:",omitempty"` // nil for that of the podcast
	Block       bool         `json:",omitempty"` // directories leave the episode out
	Chapters    *Document    `json:",omitempty"`
	Transcripts []Transcript `json:",omitempty"`
	Persons     []Person     `json:",omitempty"`
}

// EpisodeKind is the kind of an episode.
type EpisodeKind string

// The kinds of episodes.
const (
	FullEpisode EpisodeKind = "full"
	Trailer     EpisodeKind = "trailer"
	Bonus       EpisodeKind = "bonus"
)

// Document is a file about an episode.
type Document struct {
	URL  string
	Type string // media type
}

// Transcript is the text of an episode.
type Transcript struct {
	Document
	Language string `json:",omitempty"` // BCP 47; empty for that of the podcast
	Captions bool   `json:",omitempty"` // the text has the times at which it is spoken
}

// Person takes part in an episode or a podcast.
type Person struct {
	Name  string
	Role  string `json:",omitempty"` // such as "guest"; empty for a host
	Group string `json:",omitempty"` // such as "cast"
	URL   string `json:",omitempty"`
	Image string `json:",omitempty"`
}
