package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

// Widths are the widths of the copies in pixels: the column of a mail, the same on a screen with twice
// as many pixels, and the column of a page on such a screen.
var Widths = []int{536, 1072, 1600}

// maxCopy is the most pixels of a copy after the first: a very high image has narrow copies only.
const maxCopy = 12_000_000

// Copy is a smaller or differently encoded copy of an image: a JPEG or a PNG.
type Copy struct {
	Type          string
	Data          []byte
	Width, Height int
}

// Copies returns copies of an upright image in the widths of Widths, and in its own width if that is
// smaller than the last of them. Of an animation it shows the first frame.
func Copies(data []byte) ([]Copy, error) {
	info, err := Inspect(data)
	if err != nil {
		return nil, err
	}
	release := acquire()
	defer release()
	src, err := decode(data, info)
	if err != nil {
		return nil, err
	}
	bounds := src.Bounds()
	src = reduced(src, 2*Widths[len(Widths)-1])
	profile := iccOf(info.Type, data)
	var out []Copy
	for _, width := range Widths {
		width = min(width, bounds.Dx())
		height := max(1, (bounds.Dy()*width+bounds.Dx()/2)/bounds.Dx())
		if len(out) > 0 && (out[len(out)-1].Width == width || width*height > maxCopy) {
			break
		}
		c, err := encode(scaled(src, width, height), profile)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// reduced returns an image that is at least that wide, by taking the average of squares of pixels. It
// works on one row of squares at a time: scaling a large image at once takes 32 bytes for each pixel of a column.
func reduced(src image.Image, width int) image.Image {
	bounds := src.Bounds()
	n := bounds.Dx() / width
	if n < 2 {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, bounds.Dx()/n, max(1, bounds.Dy()/n)))
	rows := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), min(n, bounds.Dy())))
	for y := range out.Rect.Dy() {
		draw.Draw(rows, rows.Rect, src, image.Pt(bounds.Min.X, bounds.Min.Y+y*n), draw.Src)
		averageRow(out.Pix[y*out.Stride:(y+1)*out.Stride], rows, n)
	}
	return out
}

// averageRow fills a row with the average of squares of n by n pixels.
func averageRow(dst []byte, rows *image.RGBA, n int) {
	count := uint32(n * rows.Rect.Dy()) //nolint:gosec // small
	for x := range len(dst) / 4 {
		var sum [4]uint32
		for y := range rows.Rect.Dy() {
			line := rows.Pix[y*rows.Stride+x*n*4:]
			for i := 0; i < 4*n; i += 4 {
				sum[0] += uint32(line[i])
				sum[1] += uint32(line[i+1])
				sum[2] += uint32(line[i+2])
				sum[3] += uint32(line[i+3])
			}
		}
		for i, total := range sum {
			dst[4*x+i] = byte((total + count/2) / count)
		}
	}
}

// scaled returns an image in another size.
func scaled(src image.Image, width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	if src.Bounds().Dx() == width && src.Bounds().Dy() == height {
		draw.Draw(out, out.Rect, src, src.Bounds().Min, draw.Src)
		return out
	}
	draw.CatmullRom.Scale(out, out.Rect, src, src.Bounds(), draw.Src, nil)
	return out
}

// encode encodes an image as PNG if it is transparent, or if that is small or not much larger than a
// JPEG, as with drawings and screenshots. Otherwise it encodes it as JPEG.
func encode(img *image.RGBA, profile []byte) (Copy, error) {
	c := Copy{Type: PNG, Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	var err error
	if !img.Opaque() {
		c.Data, err = encodePNG(img)
		return c, err
	}
	photo, err := encodeJPEG(img, 82, profile)
	if err != nil || len(profile) > 0 || !fewColors(img) {
		c.Type, c.Data = JPEG, photo
		return c, err
	}
	if c.Data, err = encodePNG(img); err == nil && len(c.Data) > 2*len(photo) {
		c.Type, c.Data = JPEG, photo
	}
	return c, err
}

// fewColors reports whether most pixels equal their left neighbour, as in drawings and screenshots.
// Encoding a photo as PNG to find out that it is large would take four times as long as its JPEG.
func fewColors(img *image.RGBA) bool {
	equal, total := 0, 0
	for y := 0; y < img.Rect.Dy(); y += 4 {
		row := img.Pix[y*img.Stride : y*img.Stride+4*img.Rect.Dx()]
		for i := 4; i < len(row); i += 4 {
			if row[i] == row[i-4] && row[i+1] == row[i-3] && row[i+2] == row[i-2] {
				equal++
			}
			total++
		}
	}
	return 2*equal >= total
}

func encodePNG(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img)
	return out.Bytes(), err
}

// encodeJPEG encodes an image as JPEG with the segments of a colour profile after its first marker.
func encodeJPEG(img image.Image, quality int, profile []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	data := out.Bytes()
	if len(profile) == 0 {
		return data, nil
	}
	return bytes.Join([][]byte{data[:2], profile, data[2:]}, nil), nil
}

// orient returns an image turned and mirrored as its EXIF orientation says.
func orient(src image.Image, orientation int) *image.RGBA {
	bounds := src.Bounds()
	width, height := bounds.Dx(), bounds.Dy()
	if orientation > 4 {
		width, height = height, width
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	row := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), 1))
	for y := range bounds.Dy() {
		draw.Draw(row, row.Rect, src, image.Pt(bounds.Min.X, bounds.Min.Y+y), draw.Src)
		for x := range bounds.Dx() {
			toX, toY := x, y
			switch orientation {
			case 2:
				toX = width - 1 - x
			case 3:
				toX, toY = width-1-x, height-1-y
			case 4:
				toY = height - 1 - y
			case 5:
				toX, toY = y, x
			case 6:
				toX, toY = width-1-y, x
			case 7:
				toX, toY = width-1-y, height-1-x
			case 8:
				toX, toY = y, height-1-x
			}
			out.SetRGBA(toX, toY, row.RGBAAt(x, 0))
		}
	}
	return out
}
