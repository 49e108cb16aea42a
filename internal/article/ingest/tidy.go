package ingest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
)

// tidy resolves the links below a node, drops comments and trackers, and cleans
// texts: a character reference can hold what XML forbids.
func tidy(parent *html.Node, resolve func(link string) string) {
	for n := parent.FirstChild; n != nil; {
		next := n.NextSibling
		switch {
		case n.Type == html.CommentNode, isTracker(n):
			parent.RemoveChild(n)
		case n.Type == html.TextNode:
			n.Data = cleanRead(n.Data)
		case n.Type == html.ElementNode:
			tidyElement(n, resolve)
			tidy(n, resolve)
		}
		n = next
	}
}

// lineFeeds makes line feeds of what other systems end lines with.
var lineFeeds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// cleanRead cleans what a parser has read. A carriage return can only have stood there
// as a reference, and would be written as one again, which XML and some readers do not
// take for the end of a line.
func cleanRead(s string) string { return lineFeeds.Replace(article.CleanText(s)) }

func tidyElement(n *html.Node, resolve func(link string) string) {
	for i := range n.Attr {
		n.Attr[i].Val = cleanRead(n.Attr[i].Val)
	}
	article.MapLinks(&n.Attr, func(_, link string) string { return resolve(link) })
	if n.DataAtom == atom.A {
		nameToID(n)
	}
	if n.DataAtom == atom.Img && attribute(n, "src") == "" && attribute(n, "srcset") == "" {
		// The picture is lost; what it showed is not.
		*n = html.Node{Type: html.TextNode, Data: attribute(n, "alt"), Parent: n.Parent, PrevSibling: n.PrevSibling, NextSibling: n.NextSibling}
	}
}

// nameToID turns the anchors of old pages into those of today, so that links to
// them go on working.
func nameToID(n *html.Node) {
	at := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "name" })
	if at < 0 {
		return
	}
	if attribute(n, "id") == "" {
		n.Attr[at].Key = "id"
		return
	}
	n.Attr = slices.Delete(n.Attr, at, at+1)
}

// isTracker says whether a picture is too small to be seen: such ones only count
// readers.
func isTracker(n *html.Node) bool {
	if n.Type != html.ElementNode || n.DataAtom != atom.Img {
		return false
	}
	return tiny(attribute(n, "width")) && tiny(attribute(n, "height"))
}

func tiny(length string) bool { return length == "0" || length == "1" }

var (
	framePattern = regexp.MustCompile(`(?i)<iframe\s[^>]*>`)
	frameSource  = regexp.MustCompile(`(?i)\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	frameSize    = regexp.MustCompile(`(?i)\s(?:width|height)\s*=\s*["']?[01](?:px)?["'\s>]`)
)

// linkFrames puts links in the place of frames, such as those of videos: the frames
// are dropped, and a reader should know that something is to be seen there.
func linkFrames(source string) string {
	return framePattern.ReplaceAllStringFunc(source, func(frame string) string {
		found := frameSource.FindStringSubmatch(frame)
		if found == nil || frameSize.MatchString(frame) {
			return frame
		}
		link := html.UnescapeString(found[1] + found[2] + found[3])
		if strings.HasPrefix(link, "//") {
			link = "https:" + link
		}
		u, err := url.Parse(link)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return frame
		}
		return fmt.Sprintf(`<p><a href="%s">%s</a></p>`+"%s", html.EscapeString(link), html.EscapeString(u.Host+u.Path), frame)
	})
}
