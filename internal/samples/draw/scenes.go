package main

import "math"

// scenes are the pictures by file name.
var scenes = map[string]func(*canvas){
	"ferry": ferry, "swifts": swifts, "shed": shed, "bakery": bakery, "lighthouse": lighthouse, "tide": tide,
	"marche": market, "peniche": barge, "soupe": soup, "hafila": bus, "abar": wells,
	"todai": beam, "furuhon": books, "kraniche": cranes, "uhren": clocks, "nebel": fog,
}

func ferry(c *canvas) {
	c.sky(0xf7c59f, 0xf4b183, 0xee9b6b, 0xe4845a)
	c.circle(0xfff1d6, 690, 270, 84)
	c.wave(0x2f5d73, 330, 7, 240, 0)
	c.shape(0xfbf8f1, 180, 300, 640, 300, 590, 366, 230, 366)
	c.shape(0xa4341b, 222, 356, 597, 356, 590, 366, 230, 366)
	c.box(0xfbf8f1, 270, 240, 540, 300)
	c.box(0xfbf8f1, 330, 196, 470, 240)
	c.box(0xa4341b, 420, 140, 462, 196)
	for i := range 7 {
		c.box(0x2f5d73, 290+float64(i)*35, 258, 310+float64(i)*35, 278)
	}
	c.wave(0x234a5e, 362, 7, 210, 60)
	c.wave(0x1a394a, 420, 9, 270, 130)
}

// bird is two strokes that meet.
func bird(c *canvas, hex uint32, x, y, span float64) {
	c.shape(hex, x, y, x-span, y-span*.42, x-span*.45, y-span*.06, x, y+span*.14, x+span*.45, y-span*.06, x+span, y-span*.42)
}

func swifts(c *canvas) {
	c.sky(0xcfe3d4, 0xdcead4, 0xe9f0d6, 0xf4f4dc)
	for i := range 13 {
		a := float64(i) * .62
		r := 60 + float64(i)*13
		bird(c, 0x22312b, 480+r*1.7*math.Cos(a), 230+r*.8*math.Sin(a), 26+float64(i)*1.6)
	}
	c.shape(0x7c8f6a, 0, 504, 0, 452, 120, 430, 210, 456, 330, 424, 470, 460, 640, 430, 780, 458, 960, 428, 960, 504)
}

func shed(c *canvas) {
	c.sky(0x101c33, 0x14233f, 0x192b4c, 0x203559)
	for i := range 26 {
		c.circle(0xf3e9c6, math.Mod(float64(i)*197, 940)+10, math.Mod(float64(i)*83, 250)+10, 1.2+float64(i%3))
	}
	c.circle(0xf6edd0, 800, 96, 40)
	c.wave(0x0c1526, 430, 10, 700, 90)
	c.box(0x35608f, 300, 240, 640, 444)
	c.shape(0x8c3b2a, 270, 250, 470, 136, 670, 250)
	c.box(0xffd77a, 350, 290, 450, 376)
	c.box(0x24456a, 397, 290, 403, 376)
	c.box(0x24456a, 350, 330, 450, 336)
	c.box(0x24456a, 510, 300, 590, 444)
	c.circle(0xffd77a, 578, 374, 5)
	c.shape(0x5d5a3a, 350, 444, 450, 444, 520, 504, 240, 504)
}

func bakery(c *canvas) {
	c.sky(0x5a3825, 0x65402b)
	for row := range 3 {
		y := 150 + float64(row)*145
		c.box(0x3b2417, 40, y+8, 920, y+24)
		for i := range 5 {
			x := 140 + float64(i)*170 + float64(row%2)*20
			c.fill(0xd99a4e, func(px, py float64) bool { return py < y+8 && math.Hypot((px-x)/72, (py-y-8)/62) <= 1 })
			c.fill(0xe8b672, func(px, py float64) bool { return py < y && math.Hypot((px-x+8)/52, (py-y+4)/42) <= 1 })
			for k := range 3 {
				c.line(0xa8672b, x-30+float64(k)*24, y-30, x-14+float64(k)*24, y-8, 5)
			}
		}
	}
}

func lighthouse(c *canvas) {
	c.sky(0x0f2742, 0x123052, 0x163a62, 0x1b4572)
	c.shape(0xf2d57e, 300, 150, 960, 30, 960, 250)
	c.wave(0x0b1e33, 400, 8, 260, 20)
	c.shape(0x2b2f36, 140, 430, 220, 380, 380, 380, 470, 430)
	c.shape(0xf5f0e4, 260, 180, 340, 180, 362, 390, 238, 390)
	c.shape(0xb5402a, 255, 232, 345, 232, 351, 284, 249, 284)
	c.shape(0xb5402a, 244, 338, 356, 338, 361, 384, 239, 384)
	c.box(0xf2d57e, 274, 128, 326, 176)
	c.box(0x2b2f36, 250, 174, 350, 184)
	c.shape(0xb5402a, 262, 130, 300, 90, 338, 130)
	c.wave(0x123052, 440, 7, 190, 100)
}

func tide(c *canvas) {
	c.sky(0xf3eee2)
	for i, hex := range []uint32{0xcfe0e0, 0xa9cbd0, 0x7fb1bd, 0x5594a6, 0x35768c, 0x1f5870, 0x123d53} {
		c.wave(hex, 110+float64(i)*56, 16, 320+float64(i)*30, float64(i)*90)
	}
	c.circle(0xe9a15b, 760, 74, 36)
}
