package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tidings-press/tidings/feed"
)

// measureRender renders 50 articles of 8 KB cold: cleaned, in all three formats,
// each with its gzip.
func measureRender(_ context.Context, o options) error {
	selection := feed.Selection{Site: site(), Definition: feed.Definition{Kind: feed.Everything}}
	for i := range o.items {
		selection.Items = append(selection.Items, feed.Item{Article: makeArticle(i, o.bytes), Position: feed.Position{Seq: int64(i)}})
	}
	var times []time.Duration
	var size int
	for range 15 {
		began := time.Now()
		bytes, err := renderAll(selection)
		if err != nil {
			return err
		}
		size = bytes
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	fmt.Printf("cold render of %d items of %d KB, three formats and gzip: median %v, worst %v (%d KB); target 40 ms\n",
		o.items, o.bytes>>10, times[len(times)/2].Round(time.Microsecond*100), times[len(times)-1].Round(time.Microsecond*100), size>>10)
	return nil
}

func renderAll(selection feed.Selection) (int, error) {
	prepared := feed.Prepare(selection)
	var wait sync.WaitGroup
	var mu sync.Mutex
	total, failed := 0, error(nil)
	for _, format := range feed.Formats {
		wait.Go(func() {
			body, err := format.Render(prepared)
			var out bytes.Buffer
			if err == nil {
				var w *gzip.Writer
				if w, err = gzip.NewWriterLevel(&out, 6); err == nil {
					_, err = w.Write(body)
					err = cmpOr(err, w.Close())
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total += len(body) + out.Len()
			failed = cmpOr(failed, err)
		})
	}
	wait.Wait()
	return total, failed
}

func cmpOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
