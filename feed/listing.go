package feed

// Listing is all public feeds, for the page that explains them and for OPML.
type Listing struct {
	Groups []Group
	OPML   string // address of the OPML document
}

// Group is feeds of one kind.
type Group struct {
	Kind  Kind
	Title string
	Feeds []Listed
}

// Listed is one feed: where it is and who reads it.
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

// Readers is how many read a feed, as far as anyone can know.
type Readers struct {
	Subscribers int // as aggregators say in their User-Agent ("12 subscribers"), the others counted as one each
	Pollers     int // distinct clients of the last day, estimated
	Polls       int // requests of the last day
}

// groupTitles name the kinds to people.
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
	at := map[Kind]int{}
	for _, d := range definitions {
		if d.Kind == Private || groupTitles[d.Kind] == "" {
			continue
		}
		if _, ok := at[d.Kind]; !ok {
			at[d.Kind] = len(listing.Groups)
			listing.Groups = append(listing.Groups, Group{Kind: d.Kind, Title: groupTitles[d.Kind]})
		}
		group := &listing.Groups[at[d.Kind]]
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
