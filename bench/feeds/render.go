package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tidings-press/tidings/feed"
)

// coldTarget is the time limit for rendering and compressing the three formats of a feed.
const coldTarget = 40 * time.Millisecond

// measureRender renders 50 articles of 8 KB cold: sanitized, in all three formats, each with its
// gzip. The first round is the first work of the process: no tables are built and no memory is
// allocated yet.
func measureRender(_ context.Context, o *options) error {
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
	first := times[0]
	slices.Sort(times)
	middle, worst := times[len(times)/2], times[len(times)-1]
	fmt.Printf("cold render of %d items of %d KB, three formats and gzip (%d KB): first %v, median %v, worst %v; target %v%s\n",
		o.items, o.bytes>>10, size>>10, tenth(first), tenth(middle), tenth(worst), coldTarget,
		o.want(max(first, middle) <= coldTarget, "cold render: first %v, median %v, target %v", tenth(first), tenth(middle), coldTarget))
	return nil
}

// tenth rounds a time to a tenth of a millisecond.
func tenth(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func renderAll(selection feed.Selection) (int, error) {
	prepared := feed.Prepare(selection)
	var wait sync.WaitGroup
	var mu sync.Mutex
	total, failed := 0, error(nil)
	for _, format := range feed.Formats {
		wait.Go(func() {
			size, err := renderOne(format, prepared)
			mu.Lock()
			defer mu.Unlock()
			total, failed = total+size, errors.Join(failed, err)
		})
	}
	wait.Wait()
	return total, failed
}

// renderOne renders a format and its gzip and returns the size of both.
func renderOne(format feed.Format, prepared *feed.Prepared) (int, error) {
	body, err := format.Render(prepared)
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, 6)
	if err != nil {
		return 0, err
	}
	_, err = w.Write(body)
	return len(body) + out.Len(), errors.Join(err, w.Close())
}
