// Command media measures how fast images are taken in: cleaned as at import, and copied for pages, feeds
// and mails. It prints a table with images a second of one core and the peak memory of the process:
//
//	go run ./bench/media             photos of several sizes, drawings and an animation
//	go run ./bench/media -count 20   more images of each kind
//
// Each kind runs in a process of its own, so that its peak memory is its own.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidings-press/tidings/internal/picture"
)

// kind is a kind of image: its name, and what makes one.
type kind struct {
	name string
	make func() ([]byte, error)
}

var kinds = []kind{
	{"JPEG, 1600 x 1200", func() ([]byte, error) { return photo(1600, 1200) }},
	{"JPEG, 4000 x 3000", func() ([]byte, error) { return photo(4000, 3000) }},
	{"JPEG, 8160 x 6120", func() ([]byte, error) { return photo(8160, 6120) }},
	{"PNG drawing, 1600 x 1200", func() ([]byte, error) { return drawing(1600, 1200) }},
	{"PNG drawing, 8000 x 6000", func() ([]byte, error) { return drawing(8000, 6000) }},
	{"GIF of 20 frames, 600 x 400", func() ([]byte, error) { return animation(600, 400, 20) }},
}

func main() {
	count := flag.Int("count", 5, "images of each kind")
	only := flag.Int("kind", -1, "measure only this kind, in this process")
	flag.Parse()
	if err := run(*count, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench/media:", err)
		os.Exit(1)
	}
}

func run(count, only int) error {
	if only >= 0 {
		return measure(kinds[only], count)
	}
	fmt.Println("| image | bytes | cleaned, a second of one core | copied, a second of one core | bytes of the copies | peak memory |\n|---|---|---|---|---|---|")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for i := range kinds {
		cmd := exec.CommandContext(context.Background(), self, "-kind", fmt.Sprint(i), "-count", fmt.Sprint(count)) //nolint:gosec // this program
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return nil
}

// measure prints the row of a kind.
func measure(k kind, count int) error {
	data, err := k.make()
	if err != nil {
		return err
	}
	base := peakMemory()
	cleaned, err := timed(count, func() error { _, _, err := picture.Clean(data); return err })
	if err != nil {
		return err
	}
	var sizes []string
	copied, err := timed(count, func() error {
		copies, err := picture.Copies(data)
		sizes = sizes[:0]
		for _, c := range copies {
			sizes = append(sizes, fmt.Sprintf("%d KB", (len(c.Data)+999)/1000))
		}
		return err
	})
	if err != nil {
		return err
	}
	memory := fmt.Sprintf("%d MB", peakMemory())
	if base > peakMemory()/2 {
		memory += fmt.Sprintf(" (making the image: %d MB)", base)
	}
	fmt.Printf("| %s | %d KB | %s | %.1f | %s | %s |\n", k.name, len(data)/1000, rate(cleaned), copied, strings.Join(sizes, ", "), memory)
	return nil
}

// rate writes a number, unless it is too high to be measured.
func rate(perSecond float64) string {
	if perSecond > 1000 {
		return "over 1,000"
	}
	return fmt.Sprintf("%.0f", perSecond)
}

// timed returns how often do runs in a second of one processor, which other programs do not change.
func timed(count int, do func() error) (float64, error) {
	begin, err := processorTime()
	if err != nil {
		return 0, err
	}
	for range count {
		if err := do(); err != nil {
			return 0, err
		}
	}
	end, err := processorTime()
	return float64(count) / max(time.Millisecond, end-begin).Seconds(), err
}

// processorTime returns the processor time of this process so far.
func processorTime() (time.Duration, error) {
	var usage unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err
}

// peakMemory returns the peak of the memory in use, in MB, or 0 where the system does not report it.
func peakMemory() int {
	status, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes := 0
	_, _ = fmt.Sscan(after, &kilobytes)
	return kilobytes / 1000
}

// photo returns a JPEG of waves and grain, with about the bytes of a photo.
func photo(width, height int) ([]byte, error) {
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	grain := uint32(1)
	for i := range img.Y {
		grain = grain*1664525 + 1013904223
		img.Y[i] = byte(i/97+i/width) + byte(grain>>28)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = byte(i/331), byte(i/width)
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
	return out.Bytes(), err
}

// drawing returns a PNG of areas in few colours.
func drawing(width, height int) ([]byte, error) {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.Black, color.RGBA{200, 30, 30, 255}})
	for i := range img.Pix {
		img.Pix[i] = byte(i / 400 % 3)
	}
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}

func animation(width, height, frames int) ([]byte, error) {
	moving := &gif.GIF{}
	for f := range frames {
		frame := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.Black})
		for i := range frame.Pix {
			frame.Pix[i] = byte((i + f*10) / 100 % 2)
		}
		moving.Image, moving.Delay = append(moving.Image, frame), append(moving.Delay, 10)
	}
	var out bytes.Buffer
	err := gif.EncodeAll(&out, moving)
	return out.Bytes(), err
}
