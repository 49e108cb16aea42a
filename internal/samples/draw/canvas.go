package main

import (
	"image"
	"image/color"
	"math"
)

// Size of a finished picture in pixels: the shape that previews of links use. It is
// drawn three times as large, so that shrinking smooths the edges.
const (
	width, height = 960, 504
	scale         = 3
)

// canvas is drawn on in units of the finished picture.
type canvas struct{ img *image.RGBA }

func newCanvas() *canvas {
	return &canvas{image.NewRGBA(image.Rect(0, 0, width*scale, height*scale))}
}

// rgb reads a color such as 0xff8800.
func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

// fill paints every point that a shape holds.
func (c *canvas) fill(hex uint32, holds func(x, y float64) bool) {
	paint := rgb(hex)
	for y := range height * scale {
		for x := range width * scale {
			if holds(float64(x)/scale, float64(y)/scale) {
				c.img.SetRGBA(x, y, paint)
			}
		}
	}
}

// sky paints flat bands from top to bottom.
func (c *canvas) sky(hexes ...uint32) {
	for i, hex := range hexes {
		top := float64(i) * height / float64(len(hexes))
		c.fill(hex, func(_, y float64) bool { return y >= top })
	}
}

func (c *canvas) circle(hex uint32, cx, cy, r float64) {
	c.fill(hex, func(x, y float64) bool { return math.Hypot(x-cx, y-cy) <= r })
}

func (c *canvas) ring(hex uint32, cx, cy, r, thick float64) {
	c.fill(hex, func(x, y float64) bool { return math.Abs(math.Hypot(x-cx, y-cy)-r) <= thick/2 })
}

func (c *canvas) box(hex uint32, x0, y0, x1, y1 float64) {
	c.fill(hex, func(x, y float64) bool { return x >= x0 && x < x1 && y >= y0 && y < y1 })
}

// wave paints everything below a sine line.
func (c *canvas) wave(hex uint32, level, swing, length, shift float64) {
	c.fill(hex, func(x, y float64) bool { return y > level+swing*math.Sin((x+shift)*2*math.Pi/length) })
}

// shape paints a polygon given as x, y, x, y, …
func (c *canvas) shape(hex uint32, points ...float64) {
	c.fill(hex, func(x, y float64) bool {
		inside := false
		for i, j := 0, len(points)-2; i < len(points); j, i = i, i+2 {
			x1, y1, x2, y2 := points[i], points[i+1], points[j], points[j+1]
			if (y1 > y) != (y2 > y) && x < (x2-x1)*(y-y1)/(y2-y1)+x1 {
				inside = !inside
			}
		}
		return inside
	})
}

// line paints a straight stroke.
func (c *canvas) line(hex uint32, x1, y1, x2, y2, thick float64) {
	length := math.Hypot(x2-x1, y2-y1)
	dx, dy := (y2-y1)/length*thick/2, (x2-x1)/length*thick/2
	c.shape(hex, x1-dx, y1+dy, x2-dx, y2+dy, x2+dx, y2-dy, x1+dx, y1-dy)
}

// shrink averages each square of points into one pixel.
func (c *canvas) shrink() image.Image {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			out.SetRGBA(x, y, c.average(x*scale, y*scale))
		}
	}
	return out
}

func (c *canvas) average(x, y int) color.RGBA {
	var r, g, b int
	for dy := range scale {
		for dx := range scale {
			p := c.img.RGBAAt(x+dx, y+dy)
			r, g, b = r+int(p.R), g+int(p.G), b+int(p.B)
		}
	}
	const n = scale * scale
	return color.RGBA{R: uint8(r / n), G: uint8(g / n), B: uint8(b / n), A: 255}
}
