package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// cleanJPEG returns a JPEG without metadata and without what follows its end, such as the video of a
// moving photo, and its EXIF data (JEITA CP-3451; ITU T.81, annex B). It keeps JFIF, Adobe and color
// profiles.
func cleanJPEG(data []byte) (cleaned, exif []byte) {
	out := append(make([]byte, 0, len(data)), data[:2]...)
	for at := nextJPEGMarker(data, 2); at+4 <= len(data); at = nextJPEGMarker(data, at) {
		marker := data[at+1]
		if marker == 0xD9 {
			break
		}
		end := segmentEnd(data, at)
		if end < 0 {
			break // it is cut off or damaged: what was read is shown, and the rest may hold metadata
		}
		segment := data[at+4 : end]
		if marker == 0xE1 && exif == nil {
			if after, found := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); found {
				exif = after
			}
		}
		if keepsJPEGSegment(marker, segment) {
			out = append(out, data[at:end]...)
		}
		if at = end; marker == 0xDA { // the pixels of a scan follow
			for at = end; at+1 < len(data) && (data[at] != 0xFF || data[at+1] == 0 || data[at+1] >= 0xD0 && data[at+1] <= 0xD7); at++ {
			}
			out = append(out, data[end:at]...)
		}
	}
	return append(out, 0xFF, 0xD9), exif
}

// segmentEnd returns where the segment of a JPEG ends whose marker begins at an offset, or -1 if its
// length cannot be: it counts its own two bytes (ITU T.81, section B.1.1.4), and data has to have all.
func segmentEnd(data []byte, at int) int {
	length := int(binary.BigEndian.Uint16(data[at+2:]))
	if end := at + 2 + length; length >= 2 && end <= len(data) {
		return end
	}
	return -1
}

// nextJPEGMarker returns where the next segment or the end of a JPEG begins at or after a place, and len(data) if
// neither follows. Decoders ignore other bytes and markers of restarts between two segments, so they must not
// hide metadata.
func nextJPEGMarker(data []byte, at int) int {
	for ; at+1 < len(data); at++ {
		if marker := data[at+1]; data[at] == 0xFF && marker != 0 && marker != 0xFF && (marker < 0xD0 || marker > 0xD7) {
			return at
		}
	}
	return len(data)
}

func keepsJPEGSegment(marker byte, segment []byte) bool {
	switch {
	case marker == 0xE2:
		return bytes.HasPrefix(segment, []byte(iccSignature))
	case marker == 0xE0:
		return bytes.HasPrefix(segment, []byte("JFIF\x00")) // JFXX has a thumbnail, perhaps of what was cut off
	case marker == 0xEE:
		return true // Adobe
	case marker > 0xE0 && marker <= 0xEF, marker == 0xFE:
		return false
	}
	return true
}

const iccSignature = "ICC_PROFILE\x00"

// iccOf returns the segments with the color profile of a JPEG.
func iccOf(kind string, data []byte) []byte {
	if kind != JPEG {
		return nil
	}
	var out []byte
	for at := nextJPEGMarker(data, 2); at+4 <= len(data) && data[at+1] != 0xDA; {
		end := segmentEnd(data, at)
		if end < 0 {
			break
		}
		if data[at+1] == 0xE2 && bytes.HasPrefix(data[at+4:end], []byte(iccSignature)) {
			out = append(out, data[at:end]...)
		}
		if data[at+1] >= 0xC0 && data[at+1] <= 0xC2 && end-at > 9 && data[at+9] != 3 {
			return nil // a profile for grey or CMYK does not fit the copies, which are RGB
		}
		at = nextJPEGMarker(data, end)
	}
	return out
}

// pngMetadata are the chunks that describe an image and are not needed to show it.
var pngMetadata = map[string]bool{"tEXt": true, "zTXt": true, "iTXt": true, "eXIf": true, "tIME": true}

// cleanPNG returns a PNG without metadata, and its EXIF data.
func cleanPNG(data []byte) (cleaned, exif []byte) {
	out := append(make([]byte, 0, len(data)), data[:8]...)
	for at := 8; at+12 <= len(data); {
		length := int64(binary.BigEndian.Uint32(data[at:]))
		if length > int64(len(data)-at-12) { // it is cut off; browsers show what is there
			if !pngMetadata[string(data[at+4:at+8])] {
				out = append(out, data[at:]...)
			}
			return out, exif
		}
		end, name := at+12+int(length), string(data[at+4:at+8])
		if name == "eXIf" {
			exif = data[at+8 : end-4]
		}
		if !pngMetadata[name] {
			out = append(out, data[at:end]...)
		}
		if at = end; name == "IEND" {
			break
		}
	}
	return out, exif
}

// cleanWebP returns a WebP without metadata, and its EXIF data (RFC 9649, section 2.7).
func cleanWebP(data []byte) (cleaned, exif []byte) {
	out := append(make([]byte, 0, len(data)), data[:12]...)
	for at := 12; at+8 <= len(data); {
		length := int64(binary.LittleEndian.Uint32(data[at+4:]))
		length = min(length, int64(len(data)-at-8)) // it may be cut off; browsers show what is there
		end := at + 8 + int(length)
		padded := min(end+int(length&1), len(data))
		switch name := string(data[at : at+4]); name {
		case "EXIF":
			exif = bytes.TrimPrefix(data[at+8:end], []byte("Exif\x00\x00"))
		case "XMP ":
		default:
			start := len(out)
			if out = append(out, data[at:padded]...); name == "VP8X" && length > 0 {
				out[start+8] &^= 0x08 | 0x04 // no EXIF and no XMP follow
			}
		}
		at = padded
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8)) //nolint:gosec // not longer than data
	return out, exif
}

// animatedWebPSize returns the size of the canvas in the extended header of a WebP, for images that
// move, which cannot be decoded.
func animatedWebPSize(data []byte) (image.Config, error) {
	if len(data) < 30 || string(data[12:16]) != "VP8X" {
		return image.Config{}, errors.New("webp: no size in the header")
	}
	size := func(at int) int { return 1 + (int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16) }
	return image.Config{Width: size(24), Height: size(27)}, nil
}

// cleanGIF returns a GIF without comments and foreign extensions, and the number of its images. It keeps the
// extension that repeats an animation.
func cleanGIF(data []byte) (cleaned []byte, frames int) {
	if len(data) < 13 {
		return data, 0
	}
	cutOff := func(out []byte, from int, keep bool) []byte { // browsers show what is there
		if keep {
			return append(out, data[from:]...)
		}
		return out
	}
	at := 13 + colorTable(data[10])
	if at > len(data) {
		return data, 0
	}
	out := append(make([]byte, 0, len(data)), data[:at]...)
	for at < len(data) {
		start, keep := at, true
		switch data[at] {
		case 0x3B:
			return append(out, 0x3B), frames
		case 0x2C:
			if at+10 > len(data) {
				return cutOff(out, start, keep), frames
			}
			frames++
			at += 10 + colorTable(data[at+9]) + 1
		case 0x21:
			if at+2 > len(data) {
				return out, frames
			}
			rest := data[at+2:]
			keep = data[at+1] == 0xF9 || data[at+1] == 0xFF && (bytes.HasPrefix(rest, []byte("\x0bNETSCAPE2.0")) || bytes.HasPrefix(rest, []byte("\x0bANIMEXTS1.0")))
			at += 2
		default: // decoders stop here
			return append(out, 0x3B), frames
		}
		for at < len(data) && data[at] != 0 { // blocks of at most 255 bytes
			at += 1 + int(data[at])
		}
		if at++; at > len(data) {
			return cutOff(out, start, keep), frames
		}
		if keep {
			out = append(out, data[start:at]...)
		}
	}
	return out, frames
}

// colorTable returns the size of the color table that flags announce, in bytes.
func colorTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}

// exifOrientation returns the orientation in EXIF data, or 1 (TIFF 6.0, section 2; tag 0x0112).
func exifOrientation(exif []byte) int {
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(exif, []byte("II")) {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if value := int(order.Uint16(entries[8:])); value >= 1 && value <= 8 {
				return value
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}
