package article

import (
	"bytes"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
)

// markdown is CommonMark with tables, footnotes, strikethrough, bare links, task
// lists, definition lists and ids on headings. Raw HTML passes: everything is
// cleaned afterwards.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithAttribute()),
	goldmark.WithRendererOptions(html.WithUnsafe()),
)

func fromMarkdown(source []byte) (string, error) {
	var out bytes.Buffer
	if err := markdown.Convert(source, &out); err != nil {
		return "", err
	}
	return out.String(), nil
}
