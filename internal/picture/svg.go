package picture

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
)

// SVG is the media type of drawings. They are not decoded.
const SVG = "image/svg+xml"

// maxTokens bounds how much of a document is read in search of its root.
const maxTokens = 100

// InspectSVG reads the size of a drawing from the attributes of its root: width and height in pixels, or
// those of its viewBox. They are 0 if it gives neither. It returns an error for data that are not SVG.
func InspectSVG(data []byte) (Info, error) {
	info := Info{Type: SVG, Orientation: 1}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.Strict = false
	for range maxTokens {
		token, err := decoder.RawToken()
		if err != nil {
			return info, ErrUnknown
		}
		root, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root.Name.Local != "svg" {
			return info, ErrUnknown
		}
		values := map[string]string{}
		for _, at := range root.Attr {
			values[at.Name.Local] = at.Value
		}
		info.Width, info.Height = pixels(values["width"]), pixels(values["height"])
		if box := strings.FieldsFunc(values["viewBox"], func(r rune) bool { return r == ' ' || r == ',' }); len(box) == 4 && (info.Width == 0 || info.Height == 0) {
			info.Width, info.Height = pixels(box[2]), pixels(box[3])
		}
		if info.Width == 0 || info.Height == 0 {
			info.Width, info.Height = 0, 0
		}
		return info, nil
	}
	return info, ErrUnknown
}

// pixels reads a length in pixels, or returns 0 for other units.
func pixels(length string) int {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(length), "px"), 64)
	if err != nil || n < 1 || n > 100_000 {
		return 0
	}
	return int(n + 0.5)
}
