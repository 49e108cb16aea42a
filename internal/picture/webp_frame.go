package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/draw"

	"golang.org/x/image/webp"
)

var errWebPFrame = errors.New("webp: the animation has no first frame that can be read")

// firstFrameOfWebP decodes the first frame of an animation on its canvas (RFC 9649, section
// 2.7.1.2). x/image/webp reads still images only, so the frame is made one.
func firstFrameOfWebP(data []byte, info Info) (image.Image, error) {
	for at := 12; at+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		if size < 0 || size > len(data)-at-8 {
			break
		}
		if content := data[at+8 : at+8+size]; string(data[at:at+4]) == "ANMF" && len(content) > 16 {
			return decodeFrame(content, info)
		}
		at += 8 + size + size%2
	}
	return nil, errWebPFrame
}

func decodeFrame(content []byte, info Info) (image.Image, error) {
	number := func(at int) int { return int(content[at]) | int(content[at+1])<<8 | int(content[at+2])<<16 }
	x, y, width, height := 2*number(0), 2*number(3), 1+number(6), 1+number(9)
	if x+width > info.Width || y+height > info.Height {
		return nil, errWebPFrame
	}
	frame := content[16:]
	if bytes.HasPrefix(frame, []byte("ALPH")) { // transparency needs the extended header
		head := append([]byte("VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"), content[6:12]...)
		frame = append(head, frame...)
	}
	still := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(frame)+4)) //nolint:gosec // a part of a file
	still = append(append(still, "WEBP"...), frame...)
	config, err := webp.DecodeConfig(bytes.NewReader(still))
	if err != nil {
		return nil, err
	}
	if config.Width != width || config.Height != height {
		return nil, errWebPFrame
	}
	src, err := webp.Decode(bytes.NewReader(still))
	if err != nil {
		return nil, err
	}
	canvas := image.NewRGBA(image.Rect(0, 0, info.Width, info.Height))
	draw.Draw(canvas, image.Rect(x, y, x+width, y+height), src, src.Bounds().Min, draw.Src)
	return canvas, nil
}
