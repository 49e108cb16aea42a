package plaintext

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Wrap breaks text into lines of at most width columns, at spaces and between the characters of scripts
// without spaces. A longer word, such as a URL, is not split, so that it stays a working link.
func Wrap(width int, text string) string {
	var out strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		wrapLine(&out, width, line)
	}
	return out.String()
}

func wrapLine(out *strings.Builder, width int, line string) {
	column := 0
	spaces := "" // written only if a word follows on the same line
	for line != "" {
		var piece string
		piece, line = nextPiece(line)
		word := strings.TrimRight(piece, " \t")
		if word == "" { // such as a tab behind a space
			spaces += piece
			continue
		}
		columns := uniseg.StringWidth(word)
		if column > 0 && column+len(spaces)+columns > width {
			out.WriteByte('\n')
			column, spaces = 0, ""
		}
		out.WriteString(spaces + word)
		column += len(spaces) + columns
		spaces = piece[len(word):]
	}
}

// nextPiece splits a line at the first place where Wrap may break it. UAX 14 would also allow breaks
// after the slashes and hyphens of a URL.
func nextPiece(line string) (piece, rest string) {
	rest = line
	for state := -1; rest != ""; {
		var segment string
		segment, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		last, _ := utf8.DecodeLastRuneInString(segment)
		if last == ' ' || last == '\t' || uniseg.StringWidth(string(last)) == 2 {
			break
		}
	}
	return line[:len(line)-len(rest)], rest
}
