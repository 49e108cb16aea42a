// Package picture reads images and makes smaller copies of them. Clean removes what an image says
// about its camera and place and turns it upright; Copies makes the copies for pages, feeds and mails.
//
// Everything is bounded: the header is checked before an image is decoded, and one image is decoded
// at a time.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // registers the format
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format

	_ "golang.org/x/image/webp" // registers the format
)

// MaxPixels is the largest image that is decoded, in pixels. An image of 50 million pixels takes
// between 75 and 400 MB while it is decoded.
const MaxPixels = 50_000_000

// The media types of images.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	GIF  = "image/gif"
	WebP = "image/webp"
	AVIF = "image/avif"
)

// Info describes an image.
type Info struct {
	Type          string // media type, by the content
	Width, Height int    // pixels, as it is shown
	Orientation   int    // of the stored pixels, 1 to 8 as in EXIF; 1 is upright
	Animated      bool
}

// ErrUnknown is returned for data that are not an image in a known format.
var ErrUnknown = errors.New("not an image in a known format")

// TooLargeError reports an image with too many pixels.
type TooLargeError struct{ Width, Height, Max int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%d by %d pixels; at most %d million are read", e.Width, e.Height, e.Max/1_000_000)
}

// Inspect reads the header of an image.
func Inspect(data []byte) (Info, error) {
	info := Info{Type: typeOf(data), Orientation: 1}
	if info.Type == "" {
		return info, ErrUnknown
	}
	if info.Type == AVIF {
		return inspectAVIF(data)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil && info.Type == WebP {
		config, err = animatedWebPSize(data)
	}
	if err != nil {
		return info, err
	}
	info.Width, info.Height = config.Width, config.Height
	info.Orientation, info.Animated = metadata(info.Type, data)
	if info.Orientation > 4 {
		info.Width, info.Height = info.Height, info.Width
	}
	return info, nil
}

// metadata returns the orientation of an image, and whether it moves.
func metadata(kind string, data []byte) (orientation int, animated bool) {
	switch kind {
	case JPEG:
		_, exif := cleanJPEG(data)
		return exifOrientation(exif), false
	case PNG:
		_, exif := cleanPNG(data)
		head, _, _ := bytes.Cut(data, []byte("IDAT"))
		return exifOrientation(exif), bytes.Contains(head, []byte("acTL")) // APNG
	case WebP:
		_, exif := cleanWebP(data)
		return exifOrientation(exif), len(data) > 20 && string(data[12:16]) == "VP8X" && data[20]&2 != 0
	case GIF:
		_, frames := cleanGIF(data)
		return 1, frames > 1
	}
	return 1, false
}

// typeOf returns the media type of data by their first bytes, or an empty string.
func typeOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return JPEG
	case bytes.HasPrefix(data, []byte(pngSignature)):
		return PNG
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return GIF
	case len(data) > 20 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return WebP
	case len(data) > 16 && string(data[4:8]) == "ftyp" && (bytes.Contains(data[8:min(len(data), 64)], []byte("avif")) || bytes.Contains(data[8:min(len(data), 64)], []byte("avis"))):
		return AVIF
	}
	return ""
}

// Clean returns an image without metadata, such as the place where a photo was taken, and upright.
// Color profiles stay. If nothing has to change, it returns the data themselves. An image that is not
// upright is encoded again, as JPEG or PNG.
func Clean(data []byte) ([]byte, Info, error) {
	info, err := Inspect(data)
	if err != nil {
		return nil, info, err
	}
	var cleaned []byte
	switch info.Type {
	case JPEG:
		cleaned, _ = cleanJPEG(data)
	case PNG:
		cleaned, _ = cleanPNG(data)
	case WebP:
		cleaned, _ = cleanWebP(data)
	case GIF:
		cleaned, _ = cleanGIF(data)
	case AVIF:
		cleaned = cleanAVIF(data)
	}
	if bytes.Equal(cleaned, data) {
		cleaned = data
	}
	if info.Orientation == 1 || info.Animated || info.Type == AVIF { // AVIF is turned by its reader
		return cleaned, info, nil
	}
	turned, err := turnUpright(cleaned, info)
	if err != nil {
		return nil, info, err
	}
	info, err = Inspect(turned)
	return turned, info, err
}

// CanCopy returns why Copies cannot copy an image: it has too many pixels, or is in a format that is
// shown only as it is.
func (i Info) CanCopy() error {
	switch {
	case i.Type == AVIF && !decodesAVIF:
		return errAVIF
	case i.Type == AVIF && i.Width > maxAVIF/max(1, i.Height):
		return &TooLargeError{i.Width, i.Height, maxAVIF}
	case i.Width <= 0 || i.Height <= 0 || i.Width > MaxPixels/i.Height:
		return &TooLargeError{i.Width, i.Height, MaxPixels}
	}
	return nil
}

var errAVIF = errors.New("AVIF is not decoded by this program; build it with -tags nodynamic")

// turnUpright decodes an image, turns it and encodes it again.
func turnUpright(data []byte, info Info) ([]byte, error) {
	release := acquire()
	defer release()
	src, err := decode(data, info)
	if err != nil {
		return nil, err
	}
	turned := orient(src, info.Orientation)
	if info.Type == PNG || !turned.Opaque() {
		return encodePNG(turned)
	}
	return encodeJPEG(turned, 92, iccOf(info.Type, data))
}

// decoding admits one decoder at a time, since an image takes up to 400 MB.
var decoding = make(chan struct{}, 1)

func acquire() (release func()) {
	decoding <- struct{}{}
	return func() { <-decoding }
}

// decode decodes an image if it is not too large. The caller has called acquire.
func decode(data []byte, info Info) (image.Image, error) {
	if err := info.CanCopy(); err != nil {
		return nil, err
	}
	switch {
	case info.Type == AVIF:
		return decodeAVIF(data)
	case info.Type == WebP && info.Animated:
		return firstFrameOfWebP(data, info)
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	return src, err
}
