package lint

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// parseColor reads a CSS color: a name, a hexadecimal number, rgb() or rgba(). It returns false
// for values that it does not understand.
func parseColor(s string) (color.NRGBA, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "transparent" {
		return color.NRGBA{}, true
	}
	if named, found := colornames.Map[s]; found {
		return color.NRGBA{named.R, named.G, named.B, 255}, true
	}
	if digits, found := strings.CutPrefix(s, "#"); found {
		return parseHex(digits)
	}
	name, arguments, found := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	if !found || name != "rgb" && name != "rgba" {
		return color.NRGBA{}, false
	}
	return parseRGB(strings.FieldsFunc(arguments, func(r rune) bool { return strings.ContainsRune(", /", r) }))
}

func parseHex(digits string) (color.NRGBA, bool) {
	if n := len(digits); n == 3 || n == 4 {
		var doubled strings.Builder
		for _, digit := range digits {
			doubled.WriteRune(digit)
			doubled.WriteRune(digit)
		}
		digits = doubled.String()
	}
	if len(digits) == 6 {
		digits += "ff"
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	return color.NRGBA{uint8(n >> 24), uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil && len(digits) == 8
}

func parseRGB(arguments []string) (color.NRGBA, bool) {
	values := [4]float64{3: 255}
	if len(arguments) != 3 && len(arguments) != 4 {
		return color.NRGBA{}, false
	}
	for i, text := range arguments {
		number, percent := strings.CutSuffix(text, "%")
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return color.NRGBA{}, false
		}
		switch {
		case percent:
			value = value * 255 / 100
		case i == 3:
			value *= 255
		}
		values[i] = math.Round(min(max(value, 0), 255))
	}
	return color.NRGBA{uint8(values[0]), uint8(values[1]), uint8(values[2]), uint8(values[3])}, true
}

// over returns a color on an opaque background.
func over(c, background color.NRGBA) color.NRGBA {
	mix := func(a, b uint8) uint8 {
		return uint8((int(a)*int(c.A) + int(b)*(255-int(c.A)) + 127) / 255)
	}
	return color.NRGBA{mix(c.R, background.R), mix(c.G, background.G), mix(c.B, background.B), 255}
}

// contrast returns the contrast ratio of two opaque colors, from 1 to 21 (WCAG 2.2, contrast
// ratio).
func contrast(a, b color.NRGBA) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance returns the relative luminance of a color (WCAG 2.2, relative luminance).
func luminance(c color.NRGBA) float64 {
	channel := func(value uint8) float64 {
		v := float64(value) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c.R) + 0.7152*channel(c.G) + 0.0722*channel(c.B)
}

func hexOf(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
