package ingest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	utf16 "golang.org/x/text/encoding/unicode"
)

// decode converts a file to UTF-8. It detects UTF-16 by the byte order mark, ISO-2022-JP by its
// escape sequences, other encodings by a declaration in the file, and Japanese and western
// European text by its bytes. A file is refused if its encoding is not certain, so that no
// broken text is published.
func (im *importer) decode(k kind) *Problem {
	data := im.file.Data
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return im.recode(utf16.UTF16(utf16.LittleEndian, utf16.UseBOM), "UTF-16")
	}
	valid := utf8.Valid(data)
	if valid && bytes.Contains(data, []byte("\x1b$B")) || valid && bytes.Contains(data, []byte("\x1b$@")) {
		return im.recode(japanese.ISO2022JP, "ISO-2022-JP")
	}
	if valid {
		return nil
	}
	if name := declaredEncoding(data, k); name != "" {
		if encoding, canonical := charset.Lookup(name); encoding != nil && canonical != "utf-8" && canonical != "replacement" {
			return im.recode(encoding, canonical)
		}
	}
	bad, foreign := firstInvalid(data)
	line := 1 + bytes.Count(data[:bad], []byte("\n"))
	for _, candidate := range []struct {
		name     string
		encoding encoding.Encoding
		certain  func(data []byte, text string) bool
	}{
		{"Shift_JIS", japanese.ShiftJIS, isJapanese}, {"EUC-JP", japanese.EUCJP, isJapanese}, {"Windows-1252", charmap.Windows1252, isWestern},
	} {
		text, err := candidate.encoding.NewDecoder().Bytes(data)
		if err == nil && candidate.certain(data, string(text)) {
			im.warn(line, "the file is not UTF-8, so it is read as "+candidate.name, "save it as UTF-8")
			im.file.Data = text
			return nil
		}
	}
	if !foreign {
		return &Problem{Line: line, What: fmt.Sprintf("byte %d of the file is broken UTF-8", bad+1), Fix: "save the file as UTF-8"}
	}
	return &Problem{Line: line, What: "the file is not UTF-8, and its encoding is not certain", Fix: "save the file as UTF-8"}
}

func (im *importer) recode(from encoding.Encoding, name string) *Problem {
	text, err := from.NewDecoder().Bytes(im.file.Data)
	if err != nil || bytes.Contains(text, []byte("\uFFFD")) {
		return &Problem{Line: 1, What: "the file is not the " + name + " that it says it is", Fix: "save the file as UTF-8"}
	}
	im.file.Data = text
	return nil
}

// encodingComment matches a declaration of the encoding, such as "coding: utf-8".
var encodingComment = regexp.MustCompile(`(?i)\b(?:coding|fileencoding|charset|encoding)\s*[:=]\s*["']?([a-z0-9._-]+)`)

// declaredEncoding returns the encoding that the start of a file declares, or an empty string.
func declaredEncoding(data []byte, k kind) string {
	head := data[:min(len(data), 1024)]
	if found := encodingComment.FindSubmatch(head); found != nil {
		return string(found[1])
	}
	if k == kindHTML {
		if _, name, certain := charset.DetermineEncoding(head, ""); certain {
			return name
		}
	}
	return ""
}

// isJapanese reports whether a decoded text is certainly Japanese: it has no invalid characters,
// and at least a quarter of those beyond ASCII are full-width kana.
func isJapanese(_ []byte, text string) bool {
	kana, others := 0, 0
	for _, r := range text {
		switch {
		case r == utf8.RuneError || r >= 0xFF61 && r <= 0xFF9F: // half-width kana mean that the encoding is another one
			return false
		case r >= 0x3041 && r <= 0x30FE:
			kana++
		case r > utf8.RuneSelf:
			others++
		}
	}
	return kana > 0 && 3*kana >= others
}

// The characters beyond ASCII in western European languages: those that occur next to letters,
// and signs that do not.
const (
	westernLetters = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœ‘’“”„‚–—…«»‹›·ºª\u00a0"
	westernSigns   = "€£°§©®•¡¿²³½¼¾×±´"
)

// westernLanguages holds the languages that Windows-1252 was made for.
var westernLanguages = map[whatlanggo.Lang]bool{
	whatlanggo.Eng: true, whatlanggo.Fra: true, whatlanggo.Deu: true, whatlanggo.Spa: true, whatlanggo.Por: true, whatlanggo.Ita: true, whatlanggo.Nld: true,
	whatlanggo.Swe: true, whatlanggo.Dan: true, whatlanggo.Nob: true, whatlanggo.Nno: true, whatlanggo.Fin: true,
}

// isWestern reports whether a text is certainly in a western European language: its accented
// letters occur alone or in pairs between plain ones, and if the text is long enough for
// detection, its language is one of westernLanguages.
func isWestern(data []byte, text string) bool {
	letters, accented, run := 0, 0, 0
	for _, c := range data {
		switch {
		case c >= utf8.RuneSelf:
			accented++
			if run++; run > 2 {
				return false
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letters++
			run = 0
		default:
			run = 0
		}
	}
	sign, before := false, rune(0)
	for _, r := range text {
		if letter := r != 'ª' && r != 'º' && unicode.IsLetter(r); letter && (sign || r >= utf8.RuneSelf && !strings.ContainsRune(westernLetters, r)) {
			return false
		}
		sign = r >= utf8.RuneSelf && !strings.ContainsRune(westernLetters, r) && r != '¡' && r != '¿' // these two are written before words
		if sign && (!strings.ContainsRune(westernSigns, r) || unicode.IsLetter(before)) {
			return false
		}
		before = r
	}
	if accented*3 > 2*letters {
		return false
	}
	info := whatlanggo.Detect(cutText(text, maxDetected))
	return len(text) < 200 || westernLanguages[info.Lang]
}

// firstInvalid returns the position of the first invalid byte, and whether the whole file seems
// to be in another encoding: no character beyond ASCII is valid UTF-8.
func firstInvalid(data []byte) (first int, foreign bool) {
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
