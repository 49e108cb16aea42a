// Command draw makes the pictures and the sound of the sample articles. It takes
// the folder of the articles and writes into its images and audio folders:
//
//	go run ./internal/samples/draw internal/samples/articles
package main

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: draw FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	for name, paint := range scenes {
		c := newCanvas()
		paint(c)
		if err := write(filepath.Join(folder, "images", name+".png"), c.shrink()); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "audio", "foghorn.wav"), foghorn(), 0o644)
}

func write(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(f, img); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
