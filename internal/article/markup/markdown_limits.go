package markup

import (
	"bytes"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/tidings-press/tidings/internal/plaintext"
)

// Limits of Markdown, far above what people write. Without them 80 KB of "[a]("
// take 12 seconds, and a line of ">" overflows the stack.
const (
	maxCells      = 40_000  // cells in all tables of a text, including those that fill up short rows
	maxLines      = 2000    // of a paragraph that is searched for link definitions
	maxNesting    = 60      // nesting of quotes and lists
	maxDelimiters = 1000    // delimiters of one kind, such as *, in one block
	minDelimiters = 50      // in a block of any length
	delimiterWork = 1 << 26 // maximum of bytes of a block times its delimiters
)

// boundedParser returns goldmark's parser with these extensions and with limits. Syntax beyond a
// limit stays text.
func boundedParser(extensions []goldmark.Extender) parser.Parser {
	config := parser.NewConfig()
	config.BlockParsers = parser.DefaultBlockParsers()
	config.InlineParsers = parser.DefaultInlineParsers()
	config.ParagraphTransformers = parser.DefaultParagraphTransformers()
	parser.WithAutoHeadingID().SetParserOption(config)
	parser.WithAttribute().SetParserOption(config)
	collect := collector{goldmark.New(), config}
	for _, e := range extensions {
		e.Extend(collect)
	}
	for i, v := range config.BlockParsers {
		if p, ok := v.Value.(parser.BlockParser); ok {
			config.BlockParsers[i].Value = depthLimit{p}
		}
	}
	for i, v := range config.ParagraphTransformers {
		if v.Value == parser.LinkReferenceParagraphTransformer {
			config.ParagraphTransformers[i].Value = referenceLimit{parser.LinkReferenceParagraphTransformer}
		} else if p, ok := v.Value.(parser.ParagraphTransformer); ok {
			config.ParagraphTransformers[i].Value = tableLimit{p}
		}
	}
	for i, v := range config.InlineParsers {
		if v.Value == parser.NewEmphasisParser() {
			config.InlineParsers[i].Value, v.Value = emphasis{}, emphasis{}
		}
		p, ok := v.Value.(parser.InlineParser)
		if ok && slices.ContainsFunc(p.Trigger(), func(c byte) bool { return c == '[' || c == '*' || c == '~' }) {
			config.InlineParsers[i].Value = &delimiterLimit{p, parser.NewContextKey()}
		}
	}
	return parser.NewParser(fullConfig{config})
}

// collector collects the parser options that an extension adds.
type collector struct {
	goldmark.Markdown
	config *parser.Config
}

func (c collector) Parser() parser.Parser { return c }

func (c collector) AddOptions(options ...parser.Option) {
	for _, o := range options {
		o.SetParserOption(c.config)
	}
}

func (c collector) Parse(text.Reader, ...parser.ParseOption) ast.Node { return nil }

// fullConfig is a parser option that replaces the whole configuration.
type fullConfig struct{ config *parser.Config }

func (w fullConfig) SetParserOption(c *parser.Config) { *c = *w.config }

// depthLimit is a block parser that opens no block beyond maxNesting.
type depthLimit struct{ parser.BlockParser }

func (s depthLimit) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	depth := 0
	for n := parent; n != nil; n = n.Parent() {
		depth++
	}
	if depth > maxNesting && !slices.Contains(leaves, string(s.Trigger())) {
		return nil, parser.NoChildren
	}
	return s.BlockParser.Open(parent, reader, pc)
}

// leaves are the triggers of blocks without children. They are always opened, so that text at
// any depth has a paragraph.
var leaves = []string{string(parser.NewParagraphParser().Trigger())}

func (s depthLimit) SetOption(name parser.OptionName, value any) {
	if o, ok := s.BlockParser.(parser.SetOptioner); ok {
		o.SetOption(name, value)
	}
}

// referenceLimit looks for link definitions in short paragraphs only, since goldmark copies all
// following lines for each definition.
type referenceLimit struct{ parser.ParagraphTransformer }

func (b referenceLimit) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	if node.Lines().Len() <= maxLines {
		b.ParagraphTransformer.Transform(node, reader, pc)
	}
}

// tableLimit limits the number of table cells. Short rows are filled up with cells, so that 12 KB
// of empty rows below a wide one would take 1.8 GB.
type tableLimit struct{ parser.ParagraphTransformer }

var (
	cellsSoFar    = parser.NewContextKey()
	tableErrorKey = parser.NewContextKey()
)

// TableError reports that the tables of a text have too many cells.
type TableError struct{ Line int } // of the table, counted from 0 for the first line of the text

func (e *TableError) Error() string {
	return fmt.Sprintf("its tables have more than %d cells", maxCells)
}

func (n tableLimit) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines, source := node.Lines(), reader.Source()
	columns := 0
	for i := range lines.Len() {
		segment := lines.At(i)
		row := segment.Value(source)
		if len(bytes.Trim(row, "|:- \t\r\n")) == 0 { // it may be the delimiter row, which sets the number of columns
			columns = max(columns, bytes.Count(row, []byte("|"))+1)
		}
	}
	cells, _ := pc.Get(cellsSoFar).(int)
	if columns > 1 || cells > 0 {
		cells += columns * lines.Len()
	}
	pc.Set(cellsSoFar, cells)
	if cells > maxCells {
		if pc.Get(tableErrorKey) == nil {
			pc.Set(tableErrorKey, &TableError{bytes.Count(source[:lines.At(0).Start], []byte("\n"))})
		}
		return
	}
	n.ParagraphTransformer.Transform(node, reader, pc)
}

// delimiterLimit is an inline parser that leaves the delimiters of a block as text after too
// many of them.
type delimiterLimit struct {
	parser.InlineParser
	key parser.ContextKey
}

// delimiterBudget is the number of delimiters of a block that may still be parsed.
type delimiterBudget struct {
	block ast.Node
	left  int
}

func (s *delimiterLimit) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	have, _ := pc.Get(s.key).(*delimiterBudget)
	if have == nil || have.block != parent {
		have = &delimiterBudget{parent, delimitersFor(parent)}
		pc.Set(s.key, have)
	}
	if have.left--; have.left < 0 {
		return nil
	}
	return s.InlineParser.Parse(parent, block, pc)
}

func delimitersFor(block ast.Node) int {
	size := 1
	if block.Type() == ast.TypeBlock && block.Lines().Len() > 0 {
		lines := block.Lines()
		size += lines.At(lines.Len()-1).Stop - lines.At(0).Start
	}
	return min(maxDelimiters, max(minDelimiters, delimiterWork/size))
}

// CloseBlock implements parser.CloseBlocker.
func (s *delimiterLimit) CloseBlock(parent ast.Node, block text.Reader, pc parser.Context) {
	if c, ok := s.InlineParser.(parser.CloseBlocker); ok {
		c.CloseBlock(parent, block, pc)
	}
}

func (s *delimiterLimit) SetOption(name parser.OptionName, value any) {
	if o, ok := s.InlineParser.(parser.SetOptioner); ok {
		o.SetOption(name, value)
	}
}

// emphasis parses *, ** and _ as CommonMark does, except next to letters of scripts without
// spaces. There, CommonMark would not accept a delimiter next to a bracket or full stop.
type emphasis struct{}

// Trigger implements parser.InlineParser.
func (emphasis) Trigger() []byte { return []byte{'*', '_'} }

// Parse implements parser.InlineParser.
func (emphasis) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	before := block.PrecendingCharacter()
	if line[0] == '*' {
		rest := bytes.TrimLeft(line, "*")
		after, _ := utf8.DecodeRune(rest)
		if len(rest) > 0 && (plaintext.Unspaced(before) || plaintext.Unspaced(after) || isWide(before) || isWide(after)) && !unicode.IsSpace(before) && !unicode.IsSpace(after) {
			// Treat the character before as a letter, or as punctuation if punctuation follows,
			// so that the delimiter may both open and close.
			if before = 'a'; util.IsPunctRune(after) {
				before = '.'
			}
		}
	}
	node := parser.ScanDelimiter(line, before, 1, emphasisProcessor{})
	if node == nil {
		return nil
	}
	node.Segment = segment.WithStop(segment.Start + node.OriginalLength)
	block.Advance(node.OriginalLength)
	pc.PushDelimiter(node)
	return node
}

// isWide reports whether a character is punctuation of Chinese or Japanese.
func isWide(r rune) bool { return r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFFEF }

// emphasisProcessor makes an emphasis node from a pair of delimiters.
type emphasisProcessor struct{}

// IsDelimiter implements parser.DelimiterProcessor.
func (emphasisProcessor) IsDelimiter(b byte) bool { return b == '*' || b == '_' }

// CanOpenCloser implements parser.DelimiterProcessor.
func (emphasisProcessor) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

// OnMatch implements parser.DelimiterProcessor.
func (emphasisProcessor) OnMatch(consumes int) ast.Node { return ast.NewEmphasis(consumes) }
