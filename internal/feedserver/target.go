package feedserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/article"
)

// target is the document that a request asks for.
type target struct {
	definition feed.Definition
	format     feed.Format
	cursor     string // of an archive page; "" for the newest document
	opml       bool
}

// key returns the document's own path, which is the same for all paths that lead to it.
func (t *target) key() string {
	if t.opml {
		return opmlPath
	}
	return t.definition.Path(t.format, t.cursor)
}

const opmlPath = "/feeds.opml"

// errNotFound is an error that is answered with 404. Its text is shown to the user.
type errNotFound string

func (e errNotFound) Error() string { return string(e) }

// probes are the paths that feed readers try when a user enters the address of a site. They
// follow no redirects then, so each path answers 200. Those with a query are the addresses of
// feeds on sites whose permanent links are turned off.
var probes = map[string]feed.Format{
	"/feed": feed.FormatRSS, "/feed/": feed.FormatRSS, "/rss": feed.FormatRSS, "/rss/": feed.FormatRSS,
	"/rss.xml": feed.FormatRSS, "/index.xml": feed.FormatRSS, "/index.rss": feed.FormatRSS, "/feed.rss": feed.FormatRSS,
	"/feeds/posts/default": feed.FormatAtom, "/atom": feed.FormatAtom, "/atom/": feed.FormatAtom,
	"/feed.atom": feed.FormatAtom, "/index.atom": feed.FormatAtom, "/feed/atom": feed.FormatAtom, "/feed/atom/": feed.FormatAtom,
	"/feed/rss": feed.FormatRSS, "/feed/rss/": feed.FormatRSS, "/rss/feed.xml": feed.FormatRSS,
	"/feeds.xml": feed.FormatRSS, "/rss2.xml": feed.FormatRSS, "/rss2": feed.FormatRSS, "/feed/rss2": feed.FormatRSS, "/feed/rss2/": feed.FormatRSS,
	"/?feed=rss2": feed.FormatRSS, "/?feed=rss": feed.FormatRSS, "/?feed=rdf": feed.FormatRSS, "/?feed=atom": feed.FormatAtom, "/?feed=json": feed.FormatJSON,
	"/index.json": feed.FormatJSON, "/feed/json": feed.FormatJSON, "/feed/json/": feed.FormatJSON,
}

// files are the file names of documents in a feed's folder, with their aliases.
var files = map[string]feed.Format{
	"feed.xml": feed.FormatRSS, "rss.xml": feed.FormatRSS, "index.xml": feed.FormatRSS, "feed": feed.FormatRSS, "rss": feed.FormatRSS,
	"atom.xml": feed.FormatAtom, "atom": feed.FormatAtom, "feed.json": feed.FormatJSON,
}

// probed returns the format of the feed of everything for an address that feed readers probe.
func probed(u *url.URL) (feed.Format, bool) {
	if format, ok := probes[u.EscapedPath()]; ok {
		return format, true
	}
	format, ok := probes[cacheAddress(u)]
	return format, ok
}

// Handles reports whether a URL is that of a feed.
func (s *Server) Handles(u *url.URL) bool {
	if _, probe := probed(u); probe || u.EscapedPath() == opmlPath {
		return true
	}
	_, ok := split(u.EscapedPath())
	return ok
}

// parts are the elements of a feed's path.
type parts struct {
	kind   feed.Kind
	name   string // still percent-encoded
	cursor string
	format feed.Format
}

var kinds = []feed.Kind{
	feed.Named, feed.ByTag, feed.ByAuthor, feed.ByLanguage, feed.ByDigest, feed.Private, feed.BySearch, feed.ByMatch,
}

// split parses a path: /KIND/NAME/archive/CURSOR/FILE, where only FILE is required. NAME may
// contain slashes that a proxy has decoded.
func split(path string) (parts, bool) {
	elements := strings.Split(strings.Trim(path, "/"), "/")
	p := parts{kind: feed.Everything}
	var ok bool
	if p.format, ok = files[elements[len(elements)-1]]; !ok {
		return parts{}, false
	}
	elements = elements[:len(elements)-1]
	if n := len(elements); n >= 2 && elements[n-2] == "archive" {
		if _, err := feed.ParsePosition(elements[n-1]); err == nil {
			p.cursor, elements = elements[n-1], elements[:n-2]
		}
	}
	if len(elements) == 0 {
		return p, p.cursor != "" || strings.Contains(path, ".")
	}
	p.kind, p.name = feed.Kind(elements[0]), strings.Join(elements[1:], "/")
	if !slices.Contains(kinds, p.kind) {
		return parts{}, false
	}
	hasQuery := p.kind == feed.BySearch || p.kind == feed.ByMatch // in place of a name
	return p, hasQuery == (p.name == "")
}

// find returns the document that a request asks for.
func (s *Server) find(ctx context.Context, r *http.Request) (target, error) {
	path := r.URL.EscapedPath()
	if path == opmlPath {
		return target{opml: true}, nil
	}
	if format, probe := probed(r.URL); probe {
		return target{definition: s.everything, format: format}, nil
	}
	p, ok := split(path)
	if !ok {
		return target{}, errNotFound("There is no feed at this address. " + opmlPath + " lists all feeds.")
	}
	name, err := feed.ParseSegment(p.name)
	if err != nil {
		return target{}, errNotFound(err.Error())
	}
	d, err := s.definition(ctx, p.kind, name, r.URL.Query())
	return target{definition: d, format: p.format, cursor: p.cursor}, err
}

func (s *Server) definition(ctx context.Context, kind feed.Kind, name string, query url.Values) (feed.Definition, error) {
	switch kind {
	case feed.Everything:
		return s.everything, nil
	case feed.Named, feed.ByDigest:
		for _, d := range s.options.Feeds {
			if d.Kind == kind && d.Name == name {
				return d, nil
			}
		}
		if kind == feed.Named && name == string(feed.Everything) {
			return s.everything, nil
		}
		return feed.Definition{}, unknown(kind, name)
	case feed.Private:
		return s.private(ctx, name)
	case feed.BySearch, feed.ByMatch:
		return QueryFeed(kind, query.Get(QueryParameter(kind)))
	}
	return s.labelFeed(ctx, kind, name)
}

func unknown(kind feed.Kind, name string) error {
	return errNotFound("There is no feed " + string(kind) + "/" + name + ". " + opmlPath + " lists all feeds.")
}

// labelFeed returns the feed of a tag, author or language. The name may have any spelling; the
// feed's addresses have the spelling of the articles.
func (s *Server) labelFeed(ctx context.Context, kind feed.Kind, name string) (feed.Definition, error) {
	spelling, err := s.options.Source.Spelling(ctx, kind, name)
	if errors.Is(err, ErrUnknown) {
		return feed.Definition{}, unknown(kind, name)
	}
	if err != nil {
		return feed.Definition{}, err
	}
	d, err := LabelFeed(kind, spelling)
	if err != nil {
		return feed.Definition{}, errNotFound(err.Error())
	}
	return d, nil
}

// LabelFeed returns the feed of a tag, author or language in the spelling that its
// articles use.
func LabelFeed(kind feed.Kind, spelling string) (feed.Definition, error) {
	filter, err := FilterFor(kind, spelling)
	d := feed.Definition{Kind: kind, Name: spelling, Filter: filter}
	d.Home = d.Base()
	if kind == feed.ByLanguage {
		d.Language = spelling
	}
	return d, err
}

// Limits of the query in an address.
const (
	maxQueryBytes = 500
	maxQueryWords = 20
)

// QueryParameter returns the name of the URL parameter of a search or expression.
func QueryParameter(kind feed.Kind) string {
	if kind == feed.ByMatch {
		return "match"
	}
	return "q"
}

// QueryFeed returns the feed of a search or expression. Its error tells the user what is wrong
// with the query.
func QueryFeed(kind feed.Kind, query string) (feed.Definition, error) {
	query = strings.TrimSpace(query)
	key := QueryParameter(kind)
	switch {
	case query == "":
		return feed.Definition{}, errNotFound("The address has no query. Add ?" + key + "= and the words or expression to search for.")
	case len(query) > maxQueryBytes:
		return feed.Definition{}, errNotFound("The query is too long; it may have at most 500 characters.")
	case kind == feed.BySearch && len(strings.Fields(query)) > maxQueryWords:
		return feed.Definition{}, errNotFound("The search has too many words; it may have at most 20.")
	}
	filter, err := FilterFor(kind, query)
	if err != nil {
		return feed.Definition{}, errNotFound(err.Error())
	}
	home := "/" + string(kind) + "?" + url.Values{key: {query}}.Encode()
	return feed.Definition{Kind: kind, Name: query, Filter: filter, Home: home}, nil
}

func (s *Server) private(ctx context.Context, token string) (feed.Definition, error) {
	const gone = errNotFound("This private feed does not exist or was revoked.")
	if s.options.Private == nil {
		return feed.Definition{}, gone
	}
	d, err := s.options.Private(ctx, token)
	if errors.Is(err, ErrUnknown) {
		return feed.Definition{}, gone
	}
	d.Kind, d.Name = feed.Private, token
	return d, err
}

// FilterFor returns the filter of a tag, author, language, search or expression. It returns an
// error for an expression that cannot be parsed.
func FilterFor(kind feed.Kind, name string) (article.Filter, error) {
	switch kind {
	case feed.ByTag:
		return article.Filter{Expr: article.Tag{Key: article.TagKey(name)}}, nil
	case feed.ByAuthor:
		return article.Filter{Expr: article.By{Key: article.AuthorKey(name)}}, nil
	case feed.ByLanguage:
		return article.Filter{Expr: article.Language{Tag: name}}, nil
	case feed.BySearch:
		var all article.Filter
		for _, word := range strings.Fields(name) {
			all = all.And(article.Filter{Expr: article.Word{Text: word}})
		}
		return all, nil
	case feed.ByMatch:
		return article.ParseFilter(name)
	}
	return article.Filter{}, nil
}
