package main

import "math"

func market(c *canvas) {
	c.sky(0xdfeaf0, 0xe8eff0)
	for i := range 3 {
		x := 60 + float64(i)*300
		c.box(0x7a5a3c, x+10, 230, x+20, 440)
		c.box(0x7a5a3c, x+230, 230, x+240, 440)
		for k := range 8 {
			hex := uint32(0xb8382c)
			if k%2 == 1 {
				hex = 0xfaf3e2
			}
			left := x - 10 + float64(k)*34
			c.shape(hex, left+14-float64(k)*3, 150, left+44-float64(k)*3, 150, left+34, 236, left, 236)
			c.circle(hex, left+17, 236, 17)
		}
		c.box(0x9c7448, x, 350, x+250, 440)
		for k := range 9 {
			hex := []uint32{0xd9612f, 0x6d8f3c, 0xe4b33d}[(i+k)%3]
			c.circle(hex, x+20+float64(k)*26, 342, 15)
		}
	}
	c.box(0xb9b2a3, 0, 440, 960, 504)
}

func barge(c *canvas) {
	c.sky(0xf0e6cf, 0xf3dfb8)
	c.wave(0x9dbb9a, 250, 18, 500, 0)
	c.wave(0x3f7486, 330, 5, 200, 0)
	c.shape(0x2f6b4f, 90, 310, 860, 310, 800, 392, 150, 392)
	c.box(0x224f3a, 620, 230, 760, 310)
	c.box(0xffe4a0, 650, 252, 690, 286)
	for i := range 34 {
		hex := []uint32{0xb8382c, 0xe4b33d, 0x3a5a8c, 0xf5f0e4, 0x7b4a7d}[i*7%5]
		tall := 34 + float64(i*13%28)
		c.box(hex, 160+float64(i)*13, 310-tall, 171+float64(i)*13, 310)
	}
	c.wave(0x2f6072, 380, 6, 170, 40)
	c.wave(0x244d5d, 440, 7, 240, 90)
}

func soup(c *canvas) {
	c.sky(0x44535e, 0x4b5b66, 0x52636e)
	for i := range 40 {
		x, y := math.Mod(float64(i)*173, 960), math.Mod(float64(i)*59, 230)
		c.line(0x7f929c, x, y, x-8, y+26, 2.4)
	}
	c.box(0x8a5f3d, 0, 400, 960, 504)
	for i, hex := range []uint32{0xe58a2e, 0x7f9f4a, 0xeadbb0} {
		x := 190 + float64(i)*290
		c.fill(0xf6f2e8, func(px, py float64) bool { return py > 300 && math.Hypot((px-x)/125, (py-300)/120) <= 1 })
		c.fill(0xf6f2e8, func(px, py float64) bool { return math.Hypot((px-x)/125, (py-300)/30) <= 1 })
		c.fill(hex, func(px, py float64) bool { return math.Hypot((px-x)/110, (py-301)/22) <= 1 })
	}
}

func bus(c *canvas) {
	c.sky(0xf6e3b5, 0xf4d99c, 0xf0cd85)
	c.circle(0xfff6dc, 160, 110, 56)
	c.box(0xd8a860, 0, 410, 960, 504)
	c.line(0x7a5230, 800, 430, 770, 150, 22)
	for i := range 7 {
		a := math.Pi + float64(i)*math.Pi/6
		c.shape(0x4d7a3a, 770, 146, 770+130*math.Cos(a), 160+90*math.Sin(a), 770+118*math.Cos(a+.16), 186+80*math.Sin(a+.16))
	}
	c.box(0x2f6f9f, 170, 210, 660, 410)
	c.box(0xf5efe0, 170, 300, 660, 318)
	for i := range 5 {
		x := 196 + float64(i)*92
		c.box(0xdcecf2, x, 232, x+74, 296)
		for k := range 6 {
			c.box([]uint32{0xb8382c, 0xe4b33d, 0x4d7a3a, 0x7b4a7d}[(i+k)%4], x+3+float64(k)*12, 258, x+13+float64(k)*12, 296)
		}
	}
	for _, x := range []float64{270, 560} {
		c.circle(0x2a2622, x, 412, 44)
		c.circle(0xb9b2a3, x, 412, 18)
	}
}

func wells(c *canvas) {
	c.sky(0xe6d2a8)
	for i := range 9 {
		c.line(0xd3b983, float64(i)*130-60, 0, float64(i)*90+120, 504, 9)
		c.line(0xd3b983, 0, float64(i)*70-20, 960, float64(i)*52+40, 7)
	}
	for i := range 17 {
		x, y := math.Mod(float64(i)*211, 860)+50, math.Mod(float64(i)*127, 400)+50
		c.circle(0x2f6f8f, x, y, 13+float64(i%3)*3)
		c.ring(0x2f6f8f, x, y, 26+float64(i%3)*4, 3)
	}
	c.circle(0xc2572b, 470, 250, 18)
	c.ring(0xc2572b, 470, 250, 34, 4)
}

func beam(c *canvas) {
	c.sky(0x1a1b3a, 0x222550, 0x2c3166, 0x3a4080)
	c.shape(0xf8e7a2, 640, 190, 0, 60, 0, 330)
	c.circle(0xf5f0e4, 150, 90, 30)
	c.shape(0x0f1026, 520, 420, 600, 350, 760, 340, 960, 400, 960, 504, 520, 504)
	c.shape(0xf5f0e4, 612, 210, 668, 210, 684, 352, 596, 352)
	c.box(0xf8e7a2, 620, 166, 660, 208)
	c.shape(0x0f1026, 606, 168, 640, 132, 674, 168)
	c.wave(0x14163a, 410, 8, 220, 0)
	c.wave(0x0f1026, 452, 8, 300, 140)
}

func books(c *canvas) {
	c.sky(0xefe4d0)
	hexes := []uint32{0x8c2f39, 0xc9772f, 0xd8a83a, 0x5f7d4f, 0x2f6b6b, 0x34507d, 0x5d4474, 0xa9a08c}
	for row := range 2 {
		base := 240 + float64(row)*230
		x := 30.0
		for i := 0; x < 920; i++ {
			thick := 20 + float64((i*17+row*11)%26)
			tall := 130 + float64((i*29+row*7)%60)
			hex := hexes[(i*5+row*3)%len(hexes)]
			c.box(hex, x, base-tall, x+thick, base)
			c.box(0xf5ecd8, x+4, base-tall+18, x+thick-4, base-tall+24)
			c.box(0xf5ecd8, x+4, base-30, x+thick-4, base-26)
			x += thick + 3
		}
		c.box(0x6b4a2f, 0, base, 960, base+20)
	}
}

func cranes(c *canvas) {
	c.sky(0xf2b8a0, 0xeda58f, 0xe2907f, 0xcf7a72, 0xb5676a)
	for i := range 6 {
		d := float64(i) * 62
		bird(c, 0x3a2530, 540-d*1.15, 120+d*.62, 40)
		if i > 0 {
			bird(c, 0x3a2530, 540+d*1.05, 120+d*.5, 40)
		}
	}
	c.box(0x4a3038, 0, 440, 960, 504)
	for i := range 60 {
		x := float64(i) * 16.5
		c.line(0x4a3038, x, 446, x+6, 404+float64(i*7%30), 3)
	}
}

func clocks(c *canvas) {
	c.sky(0x1f3a4d, 0x234156)
	for i := range 11 {
		x, y := 110+float64(i%4)*240+float64(i/4%2)*60, 90+float64(i/4)*160
		r := 58 + float64(i*7%18)
		c.circle(0xc8a04a, x, y, r)
		c.circle(0xf7f2e4, x, y, r-8)
		for k := range 12 {
			a := float64(k) * math.Pi / 6
			c.line(0x1f3a4d, x+(r-20)*math.Cos(a), y+(r-20)*math.Sin(a), x+(r-13)*math.Cos(a), y+(r-13)*math.Sin(a), 3)
		}
		hour, minute := float64(i)*1.9, float64(i)*2.7
		c.line(0x1f3a4d, x, y, x+r*.45*math.Cos(hour), y+r*.45*math.Sin(hour), 6)
		c.line(0x1f3a4d, x, y, x+r*.66*math.Cos(minute), y+r*.66*math.Sin(minute), 4)
		c.circle(0xb5402a, x, y, 5)
	}
}

func fog(c *canvas) {
	c.sky(0xc9c4d6, 0xd3cedb, 0xdcd8e0)
	c.circle(0xf4ecd8, 700, 120, 46)
	for i := range 5 {
		x := 120 + float64(i)*190
		c.box(0x6d6880, x, 250, x+9, 350)
		c.circle(0x7c7790, x+4, 232, 44)
	}
	for i, hex := range []uint32{0xb9b3c9, 0xccc7d6, 0xa9a3bb, 0xe0dde6, 0x8f8aa3} {
		c.wave(hex, 290+float64(i)*44, 10, 520+float64(i)*70, float64(i)*170)
	}
}
