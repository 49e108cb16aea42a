package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"testing"
)

// photo returns an image with many colors and a red upper left quarter.
func photo(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(x * 7), uint8(x*y + y), uint8(y * 5), 255})
			if x < width/2 && y < height/2 {
				img.SetRGBA(x, y, color.RGBA{200, 0, 0, 255})
			}
		}
	}
	return img
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	data, err := encodeJPEG(img, 90, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	data, err := encodePNG(img)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func gifOf(t *testing.T, frames int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for i := range frames {
		frame := image.NewPaletted(image.Rect(0, 0, 600, 20), color.Palette{color.Black, color.White})
		frame.SetColorIndex(i, 0, 1)
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 10)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func fileOf(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exif returns EXIF data with an orientation, and the name of a place.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	head := map[bool]string{true: "II*\x00", false: "MM\x00*"}[order == binary.AppendByteOrder(binary.LittleEndian)]
	out := order.AppendUint32([]byte(head), 8)
	out = order.AppendUint16(out, 2)
	for _, entry := range [][2]uint16{{0x010F, 1}, {0x0112, orientation}} {
		out = order.AppendUint16(out, entry[0])
		out = order.AppendUint16(out, 3)
		out = order.AppendUint32(out, 1)
		out = order.AppendUint16(out, entry[1])
		out = append(out, 0, 0)
	}
	return append(out, "Secret Beach"...)
}

func jpegSegment(marker byte, content string) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(content)+2))
	return append(out, content...)
}

func withJPEGSegments(data []byte, segments ...[]byte) []byte {
	return bytes.Join([][]byte{data[:2], bytes.Join(segments, nil), data[2:]}, nil)
}

func pngChunk(name, content string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	out = append(append(out, name...), content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func TestMetadataIsRemoved(t *testing.T) {
	t.Parallel()
	place := string(exif(binary.LittleEndian, 1))
	profile := iccSignature + "\x01\x01profile"
	photo := jpegOf(t, photo(40, 20))
	webp := fileOf(t, "boat.webp")
	still := gifOf(t, 1)
	withChunk := func(name string) []byte {
		chunk := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(place)))
		out := bytes.Join([][]byte{webp, chunk, []byte(place)}, nil)
		binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
		return out
	}
	drawing := pngOf(t, image.NewGray(image.Rect(0, 0, 9, 5)))
	for name, data := range map[string][]byte{
		"JPEG with EXIF":          withJPEGSegments(photo, jpegSegment(0xE1, "Exif\x00\x00"+place), jpegSegment(0xE2, profile)),
		"JPEG with XMP":           withJPEGSegments(photo, jpegSegment(0xE1, "http://ns.adobe.com/xap/1.0/\x00Secret Beach"), jpegSegment(0xE2, profile)),
		"JPEG with IPTC":          withJPEGSegments(photo, jpegSegment(0xED, "Photoshop 3.0\x00Secret Beach"), jpegSegment(0xFE, "Secret Beach"), jpegSegment(0xE2, profile)),
		"JPEG with a video":       append(withJPEGSegments(photo, jpegSegment(0xE2, profile)), "ftypmp42 Secret Beach"...),
		"PNG with text":           bytes.Join([][]byte{drawing[:33], pngChunk("tEXt", "Place\x00Secret Beach"), pngChunk("eXIf", place), drawing[33:]}, nil),
		"PNG with what follows":   append(bytes.Clone(drawing), "Secret Beach"...),
		"GIF with a comment":      bytes.Join([][]byte{still[:len(still)-1], []byte("\x21\xFE\x0CSecret Beach\x00"), []byte(";")}, nil),
		"GIF with what follows":   append(bytes.Clone(still), "Secret Beach"...),
		"WebP with EXIF":          withChunk("EXIF"),
		"WebP with XMP":           withChunk("XMP "),
		"JPEG with other bytes":   withJPEGSegments(photo, jpegSegment(0xE2, profile), []byte("pad\xFF\x00\x00\x01\xFF\xD3"), jpegSegment(0xE1, "Secret Beach"), []byte{0, 0}),
		"JPEG of several markers": withJPEGSegments(photo, []byte{0xFF}, jpegSegment(0xE1, "Secret Beach"), jpegSegment(0xE2, profile)),
	} {
		before, err := Inspect(data)
		if err != nil || !bytes.Contains(data, []byte("Secret Beach")) {
			t.Fatalf("%s: %v", name, err)
		}
		cleaned, info, err := Clean(data)
		if err != nil || bytes.Contains(cleaned, []byte("Secret Beach")) || info != before {
			t.Errorf("%s: %v, %+v", name, err, info)
			continue
		}
		if before.Type == JPEG && !bytes.Contains(cleaned, []byte("profile")) {
			t.Errorf("%s: the color profile is gone", name)
		}
		was, _, err1 := image.Decode(bytes.NewReader(data))
		is, _, err2 := image.Decode(bytes.NewReader(cleaned))
		if err1 != nil || err2 != nil || was.At(3, 3) != is.At(3, 3) {
			t.Errorf("%s: %v, %v", name, err1, err2)
		}
		if again, _, err := Clean(cleaned); err != nil || !bytes.Equal(again, cleaned) {
			t.Errorf("%s: cleaning a clean image changes it: %v", name, err)
		}
	}
}

func TestAVIFKeepsItsPixelsWithoutMetadata(t *testing.T) {
	t.Parallel()
	data := fileOf(t, "boat.avif")
	info, err := Inspect(data)
	if err != nil || info != (Info{Type: AVIF, Width: 700, Height: 350, Orientation: 1}) {
		t.Errorf("%+v, %v", info, err)
	}
	// Version 1 of iloc with two items: the EXIF data, of which the box names the place, and the pixels.
	item := func(id uint16, from, length uint32) []byte {
		out := binary.BigEndian.AppendUint16(nil, id)
		out = append(out, 0, 0, 0, 0, 0, 1)
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, from), length)
	}
	box := func(name string, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(content)+8)), name...), content...)
	}
	entry := func(id byte, kind string) []byte {
		return box("infe", []byte{2, 0, 0, 0, 0, id, 0, 0}, []byte(kind), []byte{0})
	}
	made := func(at uint32) []byte {
		places := box("iloc", []byte{1, 0, 0, 0, 0x44, 0, 0, 2}, item(1, at, 12), item(2, at+12, 6))
		size := box("iprp", box("ipco", box("ispe", []byte{0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5}), box("irot", []byte{3})))
		meta := box("meta", []byte{0, 0, 0, 0}, box("iinf", []byte{0, 0, 0, 0, 0, 2}, entry(1, "Exif"), entry(2, "av01")), places, size)
		return bytes.Join([][]byte{box("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), meta, box("mdat", []byte("Secret Beachpixels"))}, nil)
	}
	file := made(0)
	file = made(uint32(len(file) - 18))
	cleaned, info, err := Clean(file)
	if err != nil || bytes.Contains(cleaned, []byte("Secret")) || !bytes.HasSuffix(cleaned, []byte("\x00\x00pixels")) || len(cleaned) != len(file) {
		t.Errorf("%q, %v", cleaned, err)
	}
	if !decodesAVIF {
		if _, err := Copies(data); !errors.Is(err, errAVIF) {
			t.Errorf("%v", err)
		}
	}
	if got := avifOrientation(file); got != 6 {
		t.Errorf("its orientation is %d", got)
	}
	if info.Width != 5 || info.Height != 9 {
		t.Errorf("turned by a quarter, it is %d by %d", info.Width, info.Height)
	}
}

func TestPhotosAreTurnedUpright(t *testing.T) {
	t.Parallel()
	// The quarter that is red when the stored pixels are shown as the orientation says.
	for orientation, red := range map[uint16]image.Point{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}} {
		for name, data := range map[string][]byte{
			"JPEG": withJPEGSegments(jpegOf(t, photo(64, 32)), jpegSegment(0xE1, "Exif\x00\x00"+string(exif(binary.BigEndian, orientation)))),
			"PNG": func() []byte {
				plain := pngOf(t, photo(64, 32))
				return bytes.Join([][]byte{plain[:33], pngChunk("eXIf", string(exif(binary.LittleEndian, orientation))), plain[33:]}, nil)
			}(),
		} {
			cleaned, info, err := Clean(data)
			if err != nil {
				t.Fatal(err)
			}
			img, _, err := image.Decode(bytes.NewReader(cleaned))
			if err != nil {
				t.Fatal(err)
			}
			size := img.Bounds().Size()
			if want := map[bool]image.Point{true: {32, 64}, false: {64, 32}}[orientation > 4]; size != want || info.Width != want.X || info.Height != want.Y || info.Orientation != 1 {
				t.Errorf("%s %d: %v, %+v", name, orientation, size, info)
			}
			for x := range 2 {
				for y := range 2 {
					r, g, _, _ := img.At(size.X/4+x*size.X/2, size.Y/4+y*size.Y/2).RGBA()
					if isRed := r>>8 > 180 && g>>8 < 40; isRed != (red == image.Pt(x, y)) && (x == red.X || y == red.Y) {
						t.Errorf("%s %d: the quarter at %d, %d is %d, %d", name, orientation, x, y, r>>8, g>>8)
					}
				}
			}
		}
	}
}

func TestCopiesHaveTheWidthsOfMailAndPage(t *testing.T) {
	t.Parallel()
	profile := jpegSegment(0xE2, iccSignature+"\x01\x01profile")
	flat := image.NewRGBA(image.Rect(0, 0, 3500, 100))
	for i := range flat.Pix {
		flat.Pix[i] = 255
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 600, 20))
	for name, tc := range map[string]struct {
		data   []byte
		kind   string
		widths []int
		height int // of the first
	}{
		"photo":           {withJPEGSegments(jpegOf(t, photo(2000, 100)), profile), JPEG, []int{536, 1072, 1600}, 27},
		"small photo":     {jpegOf(t, photo(300, 20)), JPEG, []int{300}, 20},
		"medium photo":    {jpegOf(t, photo(900, 30)), JPEG, []int{536, 900}, 18},
		"wide drawing":    {pngOf(t, flat), PNG, []int{536, 1072, 1600}, 15},
		"transparent":     {pngOf(t, clear), PNG, []int{536, 600}, 18},
		"WebP":            {fileOf(t, "boat.webp"), JPEG, []int{536, 700}, 268},
		"first of frames": {gifOf(t, 3), PNG, []int{536, 600}, 18},
	} {
		copies, err := Copies(tc.data)
		if err != nil || len(copies) != len(tc.widths) {
			t.Errorf("%s: %d copies, %v", name, len(copies), err)
			continue
		}
		for i, c := range copies {
			info, err := Inspect(c.Data)
			if err != nil || c.Width != tc.widths[i] || info.Type != tc.kind || c.Type != tc.kind || info.Width != c.Width || info.Height != c.Height || i == 0 && c.Height != tc.height {
				t.Errorf("%s: copy %d is %s, %d by %d: %+v, %v", name, i, c.Type, c.Width, c.Height, info, err)
			}
		}
		if name == "photo" && !bytes.Contains(copies[0].Data, []byte("profile")) {
			t.Error("the copy of a photo has no color profile")
		}
	}
}

func TestAnimationsAreRecognised(t *testing.T) {
	t.Parallel()
	still := pngOf(t, image.NewGray(image.Rect(0, 0, 9, 5)))
	moving := bytes.Join([][]byte{still[:33], pngChunk("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"), still[33:]}, nil)
	webp := []byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x08\x00\x00\x04\x00\x00")
	for name, tc := range map[string]struct {
		data  []byte
		moves bool
	}{"PNG": {still, false}, "APNG": {moving, true}, "GIF": {gifOf(t, 1), false}, "moving GIF": {gifOf(t, 2), true}, "moving WebP": {webp, true}, "WebP": {fileOf(t, "boat.webp"), false}} {
		info, err := Inspect(tc.data)
		if err != nil || info.Animated != tc.moves {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if cleaned, _, err := Clean(tc.data); err != nil || !bytes.Equal(cleaned, tc.data) {
			t.Errorf("%s is changed: %v", name, err)
		}
	}
	if info, _ := Inspect(webp); info.Width != 9 || info.Height != 5 || info.CanCopy() != nil {
		t.Errorf("%+v", info)
	}
}

func TestFirstFrameOfWebPIsCopied(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"moving.webp", "moving-lossy.webp"} {
		copies, err := Copies(fileOf(t, name))
		if err != nil || len(copies) != 1 || copies[0].Type != PNG || copies[0].Width != 40 || copies[0].Height != 20 {
			t.Fatalf("%s: %d copies, %v", name, len(copies), err)
		}
		shown, err := png.Decode(bytes.NewReader(copies[0].Data))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, alpha := shown.At(10, 1).RGBA(); alpha != 0 {
			t.Errorf("%s: the upper edge is not transparent", name)
		}
		if red, _, blue, _ := shown.At(10, 12).RGBA(); red < 2*blue {
			t.Errorf("%s: the left half is not red", name)
		}
	}
	broken := fileOf(t, "moving.webp")
	copy(broken[bytes.Index(broken, []byte("ANMF"))+8:], "\xff\xff\xff") // outside of the canvas
	if _, err := Copies(broken); !errors.Is(err, errWebPFrame) {
		t.Errorf("a frame outside of the canvas: %v", err)
	}
}

func TestShrinkingKeepsTheAverage(t *testing.T) {
	t.Parallel()
	src := image.NewRGBA(image.Rect(0, 0, 400, 90))
	for y := range 90 {
		for x := range 400 {
			src.SetRGBA(x, y, color.RGBA{uint8((x%2 + y%2) * 100), 10, 20, 255})
		}
	}
	for _, size := range []image.Point{{100, 45}, {133, 29}, {399, 89}, {1, 1}, {400, 1}, {3, 90}} {
		got := shrink(src, size.X, size.Y)
		sum := 0
		for i := 0; i < len(got.Pix); i += 4 {
			sum += int(got.Pix[i])
			if got.Pix[i+1] != 10 || got.Pix[i+2] != 20 || got.Pix[i+3] != 255 {
				t.Fatalf("%v: pixel %d is %v", size, i/4, got.Pix[i:i+4])
			}
		}
		if average := sum / (size.X * size.Y); got.Rect.Size() != size || average < 99 || average > 101 {
			t.Errorf("%v: the average is %d", size, average)
		}
	}
	// A border between two columns of the result stays sharp.
	half := image.NewGray(image.Rect(0, 0, 300, 3))
	for i := range half.Pix {
		if i%300 >= 150 {
			half.Pix[i] = 255
		}
	}
	if got := shrink(half, 100, 1); got.Pix[4*49] != 0 || got.Pix[4*50] != 255 {
		t.Errorf("%d, %d", got.Pix[4*49], got.Pix[4*50])
	}
}

func TestHugeImagesAreNotDecoded(t *testing.T) {
	t.Parallel()
	head := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	ihdr := string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 60_000), 60_000)) + "\x08\x00\x00\x00\x00"
	bomb := bytes.Join([][]byte{head[:8], pngChunk("IHDR", ihdr), head[33:]}, nil)
	var large *TooLargeError
	if _, err := Copies(bomb); !errors.As(err, &large) || !strings.Contains(err.Error(), "60000 by 60000") {
		t.Errorf("%v", err)
	}
	if info, err := Inspect(bomb); err != nil || info.Width != 60_000 {
		t.Errorf("%+v, %v", info, err)
	}
	for _, data := range []string{"", "GIF89a", "\xff\xd8\xff", "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00", "<svg/>", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if _, _, err := Clean([]byte(data)); err == nil {
			t.Errorf("%q is an image", data)
		}
	}
}

func TestSizeOfDrawings(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]image.Point{
		`<?xml version="1.0"?><!DOCTYPE svg><!-- tides --><svg xmlns="http://www.w3.org/2000/svg" width="120px" height="80"/>`: {120, 80},
		`<svg viewBox="0 0 64.4 32" width="100%"></svg>`:                                                                       {64, 32},
		`<svg width="5cm" height="5cm"/>`:                                                                                      {},
		`<svg:svg width="3" height="4"/>`:                                                                                      {3, 4},
		`<svg width="NaN" height="Inf"/>`:                                                                                      {},
		`<svg width="1e99" height="-3"><x/>`:                                                                                   {},
	} {
		info, err := InspectSVG([]byte(source))
		if err != nil || info.Width != want.X || info.Height != want.Y || info.Type != SVG {
			t.Errorf("%s: %+v, %v", source, info, err)
		}
	}
	for _, source := range []string{"", "<html><svg/></html>", "tides", strings.Repeat("<!-- -->", 200) + "<svg/>"} {
		if info, err := InspectSVG([]byte(source)); err == nil {
			t.Errorf("%q is a drawing: %+v", source, info)
		}
	}
}

// TestJPEGWithImpossibleLength has a segment whose length does not count its own bytes: decoders refuse it,
// but take a marker of zero for padding, whose length they do not read.
func TestJPEGWithImpossibleLength(t *testing.T) {
	t.Parallel()
	photo := jpegOf(t, photo(8, 8))
	for _, length := range []string{"\x00\x00", "\x00\x01"} {
		padded := withJPEGSegments(photo, []byte("\xff\x00"+length))
		if cleaned, _, err := Clean(padded); err != nil || !bytes.Equal(cleaned, photo) {
			t.Errorf("padding of length %x: %d of %d bytes, %v", length, len(cleaned), len(photo), err)
		}
		broken := withJPEGSegments(photo, []byte("\xff\xe1"+length))
		if _, _, err := Clean(broken); err == nil {
			t.Errorf("length %x is taken", length)
		}
		if icc := iccOf(JPEG, []byte("\xff\xd8\xff\xe2"+length+"\xff\xda")); icc != nil {
			t.Errorf("length %x: a color profile of %d bytes", length, len(icc))
		}
	}
}

func FuzzClean(f *testing.F) {
	var still bytes.Buffer
	_ = gif.Encode(&still, image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.Black}), nil)
	var photo, drawing bytes.Buffer
	_ = jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	_ = png.Encode(&drawing, image.NewGray(image.Rect(0, 0, 8, 8)))
	for _, seed := range [][]byte{still.Bytes(), photo.Bytes(), drawing.Bytes()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cleaned, info, err := Clean(data)
		if err != nil || info.Width > 1000 || info.Height > 1000 {
			return
		}
		if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
			return
		}
		if _, _, err := image.Decode(bytes.NewReader(cleaned)); err != nil {
			t.Fatalf("cleaning broke an image: %v", err)
		}
	})
}
