//go:build nodynamic

package picture

import (
	"bytes"
	"errors"
	"image/png"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
)

func TestAVIFIsCopiedUpright(t *testing.T) {
	t.Parallel()
	if testkit.RaceDetector {
		t.Skip("compiling the decoder takes long with the race detector, so scripts/run-tests runs it without")
	}
	copies, err := Copies(fileOf(t, "boat.avif"))
	if err != nil || len(copies) != 2 || copies[1].Width != 700 || copies[1].Height != 350 {
		t.Fatalf("%d copies, %v", len(copies), err)
	}
	// Stored as 40 by 20 pixels, red on the left and blue on the right, turned anti-clockwise.
	copies, err = Copies(fileOf(t, "turned.avif"))
	if err != nil || len(copies) != 1 || copies[0].Type != PNG || copies[0].Width != 20 || copies[0].Height != 40 {
		t.Fatalf("%+v, %v", copies, err)
	}
	shown, err := png.Decode(bytes.NewReader(copies[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	if red, _, blue, _ := shown.At(12, 10).RGBA(); blue < 2*red {
		t.Errorf("the upper half is not blue: %v", shown.At(12, 10))
	}
	if red, _, blue, _ := shown.At(12, 30).RGBA(); red < 2*blue {
		t.Errorf("the lower half is not red: %v", shown.At(12, 30))
	}
}

func TestLargeAVIFIsNotDecoded(t *testing.T) {
	t.Parallel()
	var large *TooLargeError
	if err := (Info{Type: AVIF, Width: 5000, Height: 5000}).CanCopy(); !errors.As(err, &large) {
		t.Errorf("%v", err)
	}
}
