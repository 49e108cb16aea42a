package plaintext

import (
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// table is the text of a table element: rows of cells, each on one line.
type table struct {
	caption string
	rows    [][]string
	head    bool // the first row consists of headings
	right   map[int]bool
}

// table writes a table in columns if it fits a line, and otherwise one cell a line, with the heading
// of its column.
func (w *writer) table(n *html.Node) {
	w.endParagraph()
	t := table{right: map[int]bool{}}
	t.read(n)
	if t.caption != "" {
		w.lines(w.wrapped(t.caption)...)
	}
	if len(t.rows) == 0 {
		return
	}
	widths := t.widths()
	total := 2*len(widths) - 2
	for _, width := range widths {
		total += width
	}
	if total <= lineWidth-uniseg.StringWidth(w.prefix) {
		w.lines(t.columns(widths)...)
		return
	}
	t.list(w)
}

// read collects the rows of a table. The rows of a table inside a cell become lines of that cell.
func (t *table) read(n *html.Node) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch child.DataAtom {
		case atom.Caption:
			t.caption = cellText(child)
		case atom.Tr:
			t.readRow(child)
		case atom.Thead, atom.Tbody, atom.Tfoot:
			t.read(child)
		}
	}
}

func (t *table) readRow(tr *html.Node) {
	var row []string
	headings := true
	for cell := tr.FirstChild; cell != nil; cell = cell.NextSibling {
		if cell.DataAtom != atom.Td && cell.DataAtom != atom.Th {
			continue
		}
		headings = headings && cell.DataAtom == atom.Th
		if attribute(cell, "align") == "right" {
			t.right[len(row)] = true
		}
		row = append(row, cellText(cell))
	}
	if strings.Join(row, "") == "" { // an empty line would say nothing
		return
	}
	if len(t.rows) == 0 {
		t.head = headings
	}
	t.rows = append(t.rows, row)
}

// cellText returns the text of a cell on one line.
func cellText(cell *html.Node) string {
	inner := &writer{tight: true}
	inner.children(cell)
	inner.endParagraph()
	return OneLine(inner.out.String())
}

// widths returns the width of each column.
func (t *table) widths() []int {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	return widths
}

// columns returns the lines of the table, with a line below the headings.
func (t *table) columns(widths []int) []string {
	var lines []string
	for i, row := range t.rows {
		var line strings.Builder
		for at, cell := range row {
			if at > 0 {
				line.WriteString("  ")
			}
			space := strings.Repeat(" ", widths[at]-uniseg.StringWidth(cell))
			if t.right[at] {
				line.WriteString(space + cell)
			} else {
				line.WriteString(cell + space)
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
		if i == 0 && t.head {
			var below []string
			for _, width := range widths {
				below = append(below, strings.Repeat("-", max(width, 1)))
			}
			lines = append(lines, strings.Join(below, "  "))
		}
	}
	return lines
}

// list writes each cell as a paragraph, after the heading of its column, and an empty line after each
// row.
func (t *table) list(w *writer) {
	rows, headings := t.rows, []string(nil)
	if t.head && len(rows) > 1 {
		headings, rows = rows[0], rows[1:]
	}
	for _, row := range rows {
		var lines []string
		for i, cell := range row {
			if i < len(headings) && headings[i] != "" && cell != "" {
				cell = headings[i] + ": " + cell
			}
			if cell != "" {
				lines = append(lines, w.wrapped(cell)...)
			}
		}
		if len(lines) > 0 {
			w.lines(lines...)
		}
	}
}
