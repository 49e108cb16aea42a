package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestMetadataOfCutOffImagesIsRemoved: browsers show the beginning of a file that was cut off. The files were
// kept as they were, with the place where the photo was taken.
func TestMetadataOfCutOffImagesIsRemoved(t *testing.T) {
	t.Parallel()
	place := string(exif(binary.LittleEndian, 1))
	drawing := pngOf(t, photo(40, 20))
	webp := fileOf(t, "boat.webp")
	webpChunk := func(name, content string) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content))), content...)
	}
	still := gifOf(t, 3)
	note := []byte("\x21\xFE\x0CSecret Beach\x00")
	head := 13 + colorTable(still[10])
	for name, data := range map[string][]byte{
		"JPEG":              withJPEGSegments(jpegOf(t, photo(200, 100)), jpegSegment(0xE1, "Exif\x00\x00"+place)),
		"PNG":               bytes.Join([][]byte{drawing[:33], pngChunk("eXIf", place), drawing[33:]}, nil),
		"PNG with text":     bytes.Join([][]byte{drawing[:33], pngChunk("tEXt", "Place\x00Secret Beach"), drawing[33:]}, nil),
		"WebP":              bytes.Join([][]byte{webp, webpChunk("XMP ", place)}, nil),
		"GIF":               bytes.Join([][]byte{still[:head], note, still[head:]}, nil),
		"GIF between":       bytes.Join([][]byte{still[:len(still)-1], note, []byte(";")}, nil),
		"GIF with XMP":      bytes.Join([][]byte{still[:head], []byte("\x21\xFF\x0BXMP DataXMP\x0CSecret Beach\x00"), still[head:]}, nil),
		"GIF, unknown part": bytes.Join([][]byte{still[:len(still)-1], []byte("\x99Secret Beach")}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !bytes.Contains(data, []byte("Secret")) {
				t.Fatal("the image has no metadata")
			}
			for n := 40; n <= len(data); n += 1 + n%7 {
				cleaned, _, err := Clean(data[:n:n])
				if err != nil {
					continue
				}
				if bytes.Contains(cleaned, []byte("Secret")) {
					t.Fatalf("the first %d of %d bytes keep their metadata", n, len(data))
				}
			}
			whole, _, err := Clean(data)
			if err != nil || bytes.Contains(whole, []byte("Secret")) {
				t.Errorf("the whole image keeps its metadata: %v", err)
			}
		})
	}
}

func TestThumbnailOfJPEGIsRemoved(t *testing.T) {
	t.Parallel()
	plain := jpegOf(t, photo(30, 20))
	jfif := jpegSegment(0xE0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
	adobe := jpegSegment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x01")
	made := withJPEGSegments(plain, jfif, jpegSegment(0xE0, "JFXX\x00\x10Secret"), adobe)
	cleaned, _, err := Clean(made)
	if err != nil || !bytes.Equal(cleaned, withJPEGSegments(plain, jfif, adobe)) {
		t.Errorf("%d bytes, %v", len(cleaned), err)
	}
}

// isoBox returns a box of an ISO base media file.
func isoBox(name string, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(content)+8)), name...), content...)
}

// avifWith returns an AVIF image of 9 by 5 pixels with these boxes in its meta box.
func avifWith(parts ...[]byte) []byte {
	size := isoBox("iprp", isoBox("ipco", isoBox("ispe", []byte{0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 5})))
	meta := isoBox("meta", append([][]byte{{0, 0, 0, 0}, size}, parts...)...)
	return append(isoBox("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), meta...)
}

func TestMetadataOfAVIFIsRemovedInEveryVersion(t *testing.T) {
	t.Parallel()
	u16, u32 := binary.BigEndian.AppendUint16, binary.BigEndian.AppendUint32
	info := func(version byte, id uint32, kind string) []byte {
		out := []byte{version, 0, 0, 0}
		if version == 2 {
			out = u16(out, uint16(id))
		} else {
			out = u32(out, id)
		}
		return isoBox("iinf", []byte{0, 0, 0, 0, 0, 1}, isoBox("infe", append(u16(out, 0), kind+"\x00"...)))
	}
	// places returns an iloc box with one item of one extent.
	places := func(version byte, id uint32, method uint16, base, from, length uint32) []byte {
		out := []byte{version, 0, 0, 0, 0x44, 0x40}
		if version == 2 {
			out = u32(u32(out, 1), id)
		} else {
			out = u16(u16(out, 1), uint16(id))
		}
		if version > 0 {
			out = u16(out, method)
		}
		out = u16(u32(u16(out, 0), base), 1)
		return isoBox("iloc", u32(u32(out, from), length))
	}
	const secret = "Secret Beach"
	for name, make := range map[string]func(at uint32) []byte{
		"version 0":               func(at uint32) []byte { return avifWith(info(2, 1, "Exif"), places(0, 1, 0, 0, at, 12)) },
		"version 1 with a base":   func(at uint32) []byte { return avifWith(info(2, 1, "mime"), places(1, 1, 0, at-5, 5, 12)) },
		"version 2":               func(at uint32) []byte { return avifWith(info(3, 70000, "Exif"), places(2, 70000, 0, 0, at, 12)) },
		"items after their place": func(at uint32) []byte { return avifWith(places(0, 9, 0, 0, at, 12), info(2, 9, "Exif")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := make(uint32(len(make(0)) + 8))
			file = append(append(file, isoBox("mdat", []byte(secret), []byte("pixels"))...), "tail"...)
			for _, data := range [][]byte{file, append(bytes.Clone(file), 0)[:len(file)]} { // the second has room behind it
				cleaned, got, err := Clean(data)
				if err != nil || bytes.Contains(cleaned, []byte("Secret")) || !bytes.HasSuffix(cleaned, []byte(strings.Repeat("\x00", 12)+"pixelstail")) || len(cleaned) != len(file) || got.Width != 9 {
					t.Errorf("%q, %+v, %v", cleaned, got, err)
				}
			}
			if !bytes.Contains(file, []byte(secret)) {
				t.Error("the data that were given are changed")
			}
		})
	}
	t.Run("inside the meta box", func(t *testing.T) {
		t.Parallel()
		file := avifWith(info(2, 1, "Exif"), places(1, 1, 1, 2, 3, 12), isoBox("idat", []byte("pixel"+secret+"s")))
		for _, data := range [][]byte{file, append(bytes.Clone(file), 0)[:len(file)]} {
			if cleaned, _, err := Clean(data); err != nil || bytes.Contains(cleaned, []byte("Secret")) || !bytes.Contains(cleaned, []byte("pixel"+strings.Repeat("\x00", 12)+"s")) {
				t.Errorf("%q, %v", cleaned, err)
			}
		}
	})
	for name, file := range map[string][]byte{
		"an item elsewhere":        avifWith(info(2, 1, "Exif"), places(1, 1, 2, 0, 0, 12)),
		"a place behind the end":   avifWith(info(2, 1, "Exif"), places(0, 1, 0, 1<<31, 1<<31, 12)),
		"a length behind the end":  avifWith(info(2, 1, "Exif"), places(0, 1, 0, 0, 8, 1<<31)),
		"an unknown version":       avifWith(info(2, 1, "Exif"), places(3, 1, 0, 0, 0, 12)),
		"another item":             avifWith(info(2, 2, "Exif"), places(0, 1, 0, 0, 8, 12)),
		"a picture":                avifWith(info(2, 1, "av01"), places(0, 1, 0, 0, 8, 12)),
		"an entry that is cut off": avifWith(isoBox("infe", []byte{2, 0, 0}), places(0, 1, 0, 0, 8, 12)),
	} {
		if cleaned, _, err := Clean(file); err != nil || !bytes.Equal(cleaned, file) {
			t.Errorf("%s: %q, %v", name, cleaned, err)
		}
	}
}

// TestPlacesWithoutBytesAreReadOnce: numbers of no bytes can be repeated without end. A file of 400 KB asked
// for 100 GB of memory.
func TestPlacesWithoutBytesAreReadOnce(t *testing.T) {
	t.Parallel()
	u16 := binary.BigEndian.AppendUint16
	items := u16([]byte{0, 0, 0, 0, 0, 0}, 65535)
	for id := range uint16(65535) {
		items = u16(u16(u16(items, id), 0), 65535)
	}
	if got := itemExtents(items, 0); len(got) > 65535 {
		t.Errorf("%d extents", len(got))
	}
	many := u16([]byte{0, 0, 0, 0, 0x44, 0}, 65535)
	if got := itemExtents(append(u16(u16(u16(many, 1), 0), 65535), 0, 0, 0, 0), 0); len(got) != 0 {
		t.Errorf("a box that ends early has %d extents", len(got))
	}
}

func TestBoxesThatCannotBeAreIgnored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                {nil, ""},
		"a size that is short":   {[]byte("\x00\x00\x00\x07abcd"), ""},
		"a size that is long":    {[]byte("\x00\x00\x00\x09abcd"), ""},
		"to the end":             {[]byte("\x00\x00\x00\x00abcdxy"), "abcd:2 "},
		"a long size":            {[]byte("\x00\x00\x00\x01abcd\x00\x00\x00\x00\x00\x00\x00\x12xy"), "abcd:2 "},
		"a negative size":        {[]byte("\x00\x00\x00\x01abcd\xff\xff\xff\xff\xff\xff\xff\xffxy"), ""},
		"a long size cut off":    {[]byte("\x00\x00\x00\x01abcd\x00\x00"), ""},
		"two":                    {append(isoBox("one "), isoBox("two ", []byte("x"))...), "one :0 two :1 "},
		"nested":                 {isoBox("iprp", isoBox("ipco", isoBox("ispe"))), "iprp:16 ipco:8 ispe:0 "},
		"a container too short":  {isoBox("meta", []byte("x")), "meta:1 "},
		"an unknown container":   {isoBox("moov", isoBox("ispe")), "moov:8 "},
		"the rest after a break": {append(isoBox("one "), 0, 0), "one :0 "},
	} {
		var got strings.Builder
		boxes(c.data, 0, func(name string, content []byte) {
			got.WriteString(name + ":" + string(rune('0'+len(content)/10)) + string(rune('0'+len(content)%10)) + " ")
		})
		want := c.want
		for i := range 10 {
			digit := string(rune('0' + i))
			want = strings.ReplaceAll(want, ":"+digit+" ", ":0"+digit+" ")
		}
		if got.String() != want {
			t.Errorf("%s: %s, want %s", name, got.String(), want)
		}
	}
	deep := isoBox("ispe")
	for range 50 {
		deep = isoBox("iprp", deep)
	}
	n := 0
	boxes(deep, 0, func(string, []byte) { n++ })
	if n != 8 {
		t.Errorf("%d boxes of 51 nested ones are read, want 8", n)
	}
}

func TestAVIFIsTurnedAsItsPropertiesSay(t *testing.T) {
	t.Parallel()
	for want, properties := range map[int][][]byte{
		1: {}, 8: {isoBox("irot", []byte{1})}, 3: {isoBox("irot", []byte{2})}, 6: {isoBox("irot", []byte{3})},
		2: {isoBox("imir", []byte{1})}, 4: {isoBox("imir", []byte{0})}, 7: {isoBox("irot", []byte{1}), isoBox("imir", []byte{1})}, 5: {isoBox("irot", []byte{1}), isoBox("imir", []byte{0})},
	} {
		file := avifWith(isoBox("iprp", isoBox("ipco", properties...)))
		if got := avifOrientation(file); got != want {
			t.Errorf("%q: %d, want %d", properties, got, want)
		}
		info, err := Inspect(file)
		if turned := want > 4; err != nil || turned != (info.Width == 5) {
			t.Errorf("%q: %+v, %v", properties, info, err)
		}
	}
	for name, file := range map[string][]byte{
		"no size":       append(isoBox("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), isoBox("meta", []byte{0, 0, 0, 0})...),
		"an empty size": append(isoBox("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), isoBox("meta", []byte{0, 0, 0, 0}, isoBox("iprp", isoBox("ipco", isoBox("ispe", make([]byte, 12)))))...),
		"a huge size":   append(isoBox("ftyp", []byte("avif\x00\x00\x00\x00avifmif1")), isoBox("meta", []byte{0, 0, 0, 0}, isoBox("iprp", isoBox("ipco", isoBox("ispe", []byte("\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")))))...),
	} {
		if _, err := Inspect(file); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrientationOfDamagedEXIFIsUpright(t *testing.T) {
	t.Parallel()
	whole := exif(binary.BigEndian, 6)
	if got := exifOrientation(whole); got != 6 {
		t.Fatalf("%d", got)
	}
	for n := range 34 { // up to the end of the second entry
		if got := exifOrientation(whole[:n]); got != 1 {
			t.Errorf("the first %d bytes say %d", n, got)
		}
	}
	for _, value := range []uint16{0, 9, 256, 65535} {
		if got := exifOrientation(exif(binary.LittleEndian, value)); got != 1 {
			t.Errorf("the value %d is %d", value, got)
		}
	}
	far := bytes.Clone(whole)
	binary.BigEndian.PutUint32(far[4:], 1<<32-1)
	if got := exifOrientation(far); got != 1 {
		t.Errorf("entries behind the end: %d", got)
	}
}

// TestCleanedImagesShowTheSame damages images at random: what is shown of them must not change, and no input
// may stop the program.
func TestCleanedImagesShowTheSame(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 15))
	sources := [][]byte{
		jpegOf(t, photo(24, 16)), pngOf(t, photo(24, 16)), gifOf(t, 2), fileOf(t, "boat.webp")[:400],
		withJPEGSegments(jpegOf(t, photo(9, 9)), jpegSegment(0xE1, "Exif\x00\x00"+string(exif(binary.BigEndian, 1)))),
	}
	for range 3000 {
		data := bytes.Clone(sources[random.IntN(len(sources))])
		for range 1 + random.IntN(3) {
			switch at := random.IntN(len(data)); random.IntN(3) {
			case 0:
				data[at] = byte(random.IntN(256))
			case 1:
				data = append(data[:at:at], data[min(len(data), at+1+random.IntN(9)):]...)
			case 2:
				data = append(data[:at:at], append([]byte{0xFF, byte(random.IntN(256)), 0, byte(random.IntN(9))}, data[at:]...)...)
			}
			if len(data) == 0 {
				data = []byte{0}
			}
		}
		before, err := Inspect(data)
		if err != nil || before.Width > 2000 || before.Height > 2000 || before.Orientation != 1 {
			continue
		}
		cleaned, _, err := Clean(data)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		was, _, err1 := image.Decode(bytes.NewReader(data))
		if err1 != nil {
			continue
		}
		is, _, err2 := image.Decode(bytes.NewReader(cleaned))
		if err2 != nil || was.Bounds() != is.Bounds() {
			t.Fatalf("cleaning broke an image: %v\n%q\n%q", err2, data, cleaned)
		}
		for _, p := range []image.Point{{}, {3, 3}, {was.Bounds().Dx() - 1, was.Bounds().Dy() - 1}} {
			if was.At(p.X, p.Y) != is.At(p.X, p.Y) {
				t.Fatalf("cleaning changed a pixel of %q", data)
			}
		}
	}
}

func TestFormatsAreKnownByTheirFirstBytes(t *testing.T) {
	t.Parallel()
	for want, starts := range map[string][]string{
		JPEG: {"\xff\xd8\xff\xe0", "\xff\xd8\xff"},
		PNG:  {pngSignature},
		GIF:  {"GIF87a", "GIF89a"},
		WebP: {"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00x"},
		AVIF: {"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00x", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avif", "\x00\x00\x00\x18ftypavis\x00\x00\x00\x00x"},
		"":   {"", "\xff\xd8", "GIF88a", "RIFF\x00\x00\x00\x00WAVEVP8 \x00\x00\x00\x00x", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00x", "<svg/>", "BM", pngSignature[:7], "\x00\x00\x00\x18ftypmif1" + strings.Repeat("\x00", 60) + "avif"},
	} {
		for _, start := range starts {
			if got := typeOf([]byte(start)); got != want {
				t.Errorf("%q is %q, want %q", start, got, want)
			}
			if _, _, err := Clean([]byte(start)); err == nil {
				t.Errorf("%q, which has no pixels, is an image", start)
			}
			if _, err := Copies([]byte(start)); err == nil {
				t.Errorf("%q, which has no pixels, has copies", start)
			}
		}
	}
}

func TestCopiesOfExtremeShapesAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size image.Point
		want []image.Point // the largest first
	}{
		{image.Pt(1, 1), []image.Point{{1, 1}}},
		{image.Pt(536, 10), []image.Point{{536, 10}}},
		{image.Pt(537, 10), []image.Point{{537, 10}, {536, 10}}},
		{image.Pt(1600, 900), []image.Point{{1600, 900}, {1072, 603}, {536, 302}}},
		{image.Pt(9000, 3), []image.Point{{1600, 1}, {1072, 1}, {536, 1}}},
		{image.Pt(1600, 30_000), []image.Point{{536, 10_050}}},
		{image.Pt(1, 50_000_000), []image.Point{{1, 50_000_000}}},
	} {
		got := copySizes(c.size)
		if len(got) != len(c.want) {
			t.Errorf("%v: %v, want %v", c.size, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v: %v, want %v", c.size, got, c.want)
			}
		}
	}
}

// TestEveryOrientationTurnsEveryPixel compares orient with turns and mirrors of a small image, in the words
// of the EXIF standard (JEITA CP-3451, section 4.6.4): where its first row and its first column are shown.
func TestEveryOrientationTurnsEveryPixel(t *testing.T) {
	t.Parallel()
	src := image.NewRGBA(image.Rect(0, 0, 3, 2))
	for y := range 2 {
		for x := range 3 {
			src.SetRGBA(x, y, color.RGBA{uint8('a' + x + 3*y), 0, 0, 255})
		}
	}
	for orientation, want := range map[int]string{1: "abc/def", 2: "cba/fed", 3: "fed/cba", 4: "def/abc", 5: "ad/be/cf", 6: "da/eb/fc", 7: "fc/eb/da", 8: "cf/be/ad"} {
		got := orient(src, orientation)
		var text strings.Builder
		for y := range got.Rect.Dy() {
			if y > 0 {
				text.WriteByte('/')
			}
			for x := range got.Rect.Dx() {
				text.WriteByte(got.RGBAAt(x, y).R)
			}
		}
		if text.String() != want {
			t.Errorf("orientation %d: %s, want %s", orientation, text.String(), want)
		}
	}
	moved := src.SubImage(image.Rect(1, 0, 3, 2))
	if got := orient(moved, 1); got.RGBAAt(0, 0).R != 'b' || got.Rect.Dx() != 2 {
		t.Error("an image that does not begin at 0, 0 is moved")
	}
}
