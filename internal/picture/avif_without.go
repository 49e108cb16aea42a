//go:build !nodynamic

package picture

import "image"

// decodesAVIF is false in programs that are built without the tag nodynamic.
const (
	decodesAVIF = false
	maxAVIF     = 0
)

func decodeAVIF([]byte) (image.Image, error) { return nil, errAVIF }
