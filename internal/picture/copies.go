package picture

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"slices"
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
	profile := iccOf(info.Type, data)
	var out []Copy
	for _, size := range copySizes(src.Bounds().Size()) {
		shown := shrink(src, size.X, size.Y)
		c, err := encode(shown, profile)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		src = shown // the next copy is smaller
	}
	slices.Reverse(out)
	return out, nil
}

// copySizes returns the sizes of the copies of an image, the largest first.
func copySizes(original image.Point) []image.Point {
	var sizes []image.Point
	for _, width := range Widths {
		width = min(width, original.X)
		size := image.Pt(width, max(1, (original.Y*width+original.X/2)/original.X))
		if len(sizes) > 0 && (sizes[0].X == width || size.X*size.Y > maxCopy) {
			break
		}
		sizes = slices.Insert(sizes, 0, size)
	}
	return sizes
}

// shrink returns an image in a smaller size: each pixel is the average of the area that it covers. It
// needs memory for one row beside the result, where the scalers of x/image need 32 bytes for each pixel
// of a column at full height.
func shrink(src image.Image, width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	bounds := src.Bounds()
	if bounds.Size() == out.Rect.Size() {
		draw.Draw(out, out.Rect, src, bounds.Min, draw.Src)
		return out
	}
	line := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), 1))
	columns := coverage(bounds.Dx(), width)
	rows := coverage(bounds.Dy(), height)
	scale := float32(width) * float32(height) / (float32(bounds.Dx()) * float32(bounds.Dy()))
	row, sums := make([]float32, 4*width), make([]float32, 4*width)
	for y, covered := range rows {
		draw.Draw(line, line.Rect, src, image.Pt(bounds.Min.X, bounds.Min.Y+y), draw.Src)
		sumColumns(row, line.Pix, columns)
		for i, v := range row {
			sums[i] += covered.weight * v
		}
		if y+1 < len(rows) && rows[y+1].at == covered.at {
			continue // more rows belong to the same one of the result
		}
		for i, v := range sums {
			out.Pix[covered.at*out.Stride+i] = byte(min(255, v*scale+0.5))
			sums[i] = (1 - covered.weight) * row[i]
		}
	}
	return out
}

// covered is the part of the result that a row or column of an image belongs to: its index, and how much
// of the row or column. The rest belongs to the next one.
type covered struct {
	at     int
	weight float32
}

// coverage returns what each of n rows or columns covers in a result with fewer of them.
func coverage(n, result int) []covered {
	out := make([]covered, n)
	for i := range out {
		at := i * result / n
		// The result's row ends at (at+1)*n/result.
		end := float64((at+1)*n) / float64(result)
		out[i] = covered{at, float32(min(1, end-float64(i)))}
	}
	return out
}

// sumColumns fills a row with the sums of the pixels of a line, by what its columns cover.
func sumColumns(row []float32, line []byte, columns []covered) {
	clear(row)
	for x, c := range columns {
		pixel := line[4*x : 4*x+4]
		to := row[4*c.at:]
		for i, v := range pixel {
			to[i] += c.weight * float32(v)
		}
		if rest := 1 - c.weight; rest > 0 && len(to) >= 8 {
			for i, v := range pixel {
				to[4+i] += rest * float32(v)
			}
		}
	}
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
	err := png.Encode(&out, img)
	return out.Bytes(), err
}

// encodeJPEG encodes an image as JPEG with the segments of a color profile after its first marker.
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
