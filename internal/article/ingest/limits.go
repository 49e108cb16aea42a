package ingest

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/html"
)

// Limits of a file, far above what people write. With them the import of any file takes at most
// 200 MB of memory and a few seconds. docs/articles.md lists them.
const (
	maxText      = 2 << 20 // bytes of text, without pictures in data: URLs
	maxStructure = 200_000 // lines and special characters of Markdown, or lines of text
	maxElements  = 300_000 // elements, attributes and texts of HTML
	maxRows      = 10_000  // articles in a file of JSON lines

	maxRowsStructure = 300_000 // elements of all articles in a file of JSON lines; the last one may exceed it
)

// checkText returns a problem, with its line, if a text exceeds a limit.
func (im *importer) checkText(body string, k kind, line int) *Problem {
	if size := len(body) - dataSize(body); size > maxText {
		return &Problem{Line: line, What: fmt.Sprintf("the text has %d KB", size>>10), Fix: fmt.Sprintf("at most %d KB are read; cut it into several articles", maxText>>10)}
	}
	var at int
	what := "lines and special characters"
	switch k {
	case kindMarkdown:
		at = im.countStructure(body, markdownSyntax)
	case kindText:
		at, what = im.countStructure(body, "\n"), "lines"
	default:
		return im.checkHTML(body, line)
	}
	if at < 0 {
		return nil
	}
	return tooMuchProblem(line+strings.Count(body[:at], "\n"), maxStructure, what)
}

// checkSource returns a problem if a text with template tags or elements of components exceeds a limit before
// these are rendered: looking for the end of each of them takes time, and checkText no longer sees what was
// dropped.
func (im *importer) checkSource(body string, k kind, line int) *Problem {
	if k == kindText {
		return nil
	}
	if size := len(body) - dataSize(body); size > maxText {
		return im.checkText(body, k, line)
	}
	if at := im.countStructure(body, "{<"); k == kindMarkdown && at >= 0 {
		return tooMuchProblem(line+strings.Count(body[:at], "\n"), maxStructure, "braces and brackets")
	}
	im.structure = 0
	return nil
}

func tooMuchProblem(line, most int, what string) *Problem {
	return &Problem{Line: line, What: fmt.Sprintf("the text has more than %d %s up to here", most, what), Fix: "cut it into several articles"}
}

// markdownSyntax holds the characters that can begin or end an element.
const markdownSyntax = "\n*_~[]<>`|&#!:"

// countStructure counts the characters of a set in a text. It returns the position at which the
// limit is exceeded, or -1.
func (im *importer) countStructure(body, set string) int {
	for i := range len(body) {
		if strings.IndexByte(set, body[i]) >= 0 {
			if im.structure++; im.structure > maxStructure {
				return i
			}
		}
	}
	return -1
}

// checkHTML counts the elements, texts and attributes of HTML. It returns a problem if there are
// too many.
func (im *importer) checkHTML(source string, line int) *Problem {
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return nil
		}
		line += bytes.Count(z.Raw(), []byte("\n"))
		im.structure++
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			for _, more := z.TagName(); more; im.structure++ {
				_, _, more = z.TagAttr()
			}
		}
		if im.structure > maxElements {
			return tooMuchProblem(line, maxElements, "elements and attributes")
		}
	}
}

// dataSize returns the size of the data: URLs in a text. They become files, so they do not count
// as text.
func dataSize(body string) int {
	size := 0
	for rest := body; ; {
		at := strings.Index(rest, "data:")
		if at < 0 {
			return size
		}
		rest = rest[at:]
		end := strings.IndexAny(rest, "\"')> \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		if strings.Contains(rest[:min(end, 100)], ";base64,") {
			size += end
		}
		rest = rest[max(end, 1):]
	}
}
