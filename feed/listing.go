package feed

// Listing lists all public feeds, for the page about feeds and for OPML.
type Listing struct {
	Groups []Group
	OPML   string // address of the OPML document
}

// Group is a group of feeds of one kind.
type Group struct {
	Kind  Kind
	Title string
	Feeds []Listed
}

// Listed describes one feed: its addresses and its readers.
type Listed struct {
	Title       string
	Description string
	Language    string
	Home        string // page of the same articles
	RSS         string
	Atom        string
	JSON        string
	Count       int // articles, 0 if not counted
	Readers     Readers
}

// Readers is an estimate of how many people read a feed.
type Readers struct {
	Subscribers int // as stated by aggregators in their User-Agent ("12 subscribers"); other clients count as one
	Pollers     int // distinct clients of the last day, estimated
	Polls       int // requests of the last day
}

// groupTitles are the titles of the groups.
var groupTitles = map[Kind]string{
	Everything: "Everything",
	Named:      "Feeds",
	ByTag:      "By tag",
	ByAuthor:   "By author",
	ByLanguage: "By language",
	ByDigest:   "Digest editions",
}

// List describes feeds, grouped by kind in the order given. counts and readers are
// optional and keyed by the feed's base path.
func List(site Site, definitions []Definition, counts map[string]int, readers map[string]Readers) Listing {
	site = cleanSite(site)
	listing := Listing{OPML: site.URL + "/feeds.opml"}
	index := map[Kind]int{}
	for _, d := range definitions {
		if d.Kind == Private || groupTitles[d.Kind] == "" {
			continue
		}
		if _, ok := index[d.Kind]; !ok {
			index[d.Kind] = len(listing.Groups)
			listing.Groups = append(listing.Groups, Group{Kind: d.Kind, Title: groupTitles[d.Kind]})
		}
		group := &listing.Groups[index[d.Kind]]
		group.Feeds = append(group.Feeds, listed(d, site, counts[d.Base()], readers[d.Base()]))
	}
	return listing
}

func listed(d Definition, site Site, count int, readers Readers) Listed {
	d = cleanDefinition(d, &site)
	return Listed{
		Title: d.Title, Description: d.Description, Language: d.Language, Home: d.Home,
		RSS:   site.URL + d.Path(FormatRSS, ""),
		Atom:  site.URL + d.Path(FormatAtom, ""),
		JSON:  site.URL + d.Path(FormatJSON, ""),
		Count: count, Readers: readers,
	}
}
