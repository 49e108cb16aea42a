package ingest

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// decode makes UTF-8 of a file in another encoding: UTF-16 by its mark, a page by
// what it declares, and a text whose every accent is one byte as Windows writes
// those of western Europe. In a file that mixes encodings the broken bytes become
// U+FFFD, with a warning.
func (im *importer) decode(k kind) {
	data := im.file.Data
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		im.recode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM))
		return
	}
	if utf8.Valid(data) {
		return
	}
	bad, foreign := brokenAt(data)
	line := 1 + bytes.Count(data[:bad], []byte("\n"))
	if k == kindHTML {
		if declared, name, _ := charset.DetermineEncoding(data[:min(len(data), 1024)], ""); name != "utf-8" {
			im.recode(declared)
			return
		}
	}
	if foreign {
		im.warn(line, "the file is not UTF-8, so it is read as Windows-1252", "save it as UTF-8")
		im.recode(charmap.Windows1252)
		return
	}
	im.warn(line, fmt.Sprintf("byte %d of the file is broken UTF-8", bad+1), "save the file as UTF-8")
	im.file.Data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
}

func (im *importer) recode(from encoding.Encoding) {
	if text, err := from.NewDecoder().Bytes(im.file.Data); err == nil {
		im.file.Data = text
	}
	im.file.Data = bytes.ToValidUTF8(im.file.Data, []byte("\uFFFD"))
}

// brokenAt finds the first byte that is not UTF-8, and says whether no letter
// beyond ASCII is: then the whole file is in another encoding.
func brokenAt(data []byte) (first int, foreign bool) {
	first, foreign = -1, true
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1 && first < 0:
			first = i
		case size > 1:
			foreign = false
		}
		i += size
	}
	return max(first, 0), foreign
}
