//go:build nodynamic

package picture

import (
	"bytes"
	"image"

	"github.com/gen2brain/avif"
)

// decodesAVIF reports whether this program decodes AVIF. The build tag nodynamic makes the decoder
// run libavif as WebAssembly. Without the tag it would load the system's library as native code and
// link the program to the system's loader, so the decoder is left out then.
const decodesAVIF = true

// maxAVIF is the most pixels of an AVIF image that is decoded. Its decoder needs 16 bytes for each
// and takes some 400 ms for a million.
const maxAVIF = 16_000_000

// decodeAVIF decodes the first image of an AVIF file. The decoder does not turn it.
func decodeAVIF(data []byte) (image.Image, error) {
	config, err := avif.DecodeConfig(bytes.NewReader(data)) // its size may differ from what inspectAVIF finds
	if err != nil {
		return nil, err
	}
	if config.Width > maxAVIF/max(1, config.Height) {
		return nil, &TooLargeError{config.Width, config.Height, maxAVIF}
	}
	src, err := avif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if orientation := avifOrientation(data); orientation != 1 {
		return orient(src, orientation), nil
	}
	return src, nil
}
