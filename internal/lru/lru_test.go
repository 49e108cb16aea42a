package lru

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

func words(capacity int64) (*Cache[string, string], *[]string) {
	dropped := &[]string{}
	return New[string](capacity, func(s string) int64 { return int64(len(s)) }, func(s string) { *dropped = append(*dropped, s) }), dropped
}

func TestLeastRecentlyUsedValuesAreDropped(t *testing.T) {
	t.Parallel()
	c, dropped := words(6)
	for _, word := range []string{"aa", "bb", "cc"} {
		c.Put(word, word)
	}
	if _, ok := c.Get("aa"); !ok {
		t.Error("a value that fits was dropped")
	}
	c.Put("dd", "dd")
	if want := []string{"bb"}; !slices.Equal(*dropped, want) {
		t.Errorf("dropped %q, want %q", *dropped, want)
	}
	if want := []string{"cc", "aa", "dd"}; !slices.Equal(c.Values(), want) {
		t.Errorf("kept %q, want %q", c.Values(), want)
	}
}

func TestValueLargerThanTheCacheStaysUntilTheNext(t *testing.T) {
	t.Parallel()
	c, _ := words(3)
	c.Put("long", "long word")
	if value, ok := c.Get("long"); !ok || value != "long word" {
		t.Error("the newest value was dropped")
	}
	c.Put("a", "a")
	if want := []string{"a"}; !slices.Equal(c.Values(), want) || c.size != 1 {
		t.Errorf("kept %q of size %d, want %q", c.Values(), c.size, want)
	}
}

func TestReplacedValueIsDroppedAndNoLongerUpdated(t *testing.T) {
	t.Parallel()
	c, dropped := words(10)
	c.Put("key", "old")
	c.Put("key", "newer")
	c.Update("key", "old", func() { t.Error("a replaced value was changed") })
	c.Update("none", "old", func() { t.Error("a value that was never put was changed") })
	if !slices.Equal(*dropped, []string{"old"}) || c.size != 5 {
		t.Errorf("dropped %q, size %d", *dropped, c.size)
	}
}

func TestGrownValueEvictsOthers(t *testing.T) {
	t.Parallel()
	type value struct{ size int64 }
	c := New[int](10, func(v *value) int64 { return v.size }, nil)
	first, second := &value{4}, &value{4}
	c.Put(1, first)
	c.Put(2, second)
	c.Update(2, second, func() { second.size = 8 })
	if got := c.Values(); len(got) != 1 || got[0] != second || c.size != 8 {
		t.Errorf("%d values of size %d are kept", len(got), c.size)
	}
}

func TestSizesAreCountedExactlyUnderConcurrency(t *testing.T) {
	t.Parallel()
	type value struct{ size int64 }
	c := New[string](1000, func(v *value) int64 { return v.size }, nil)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 500 {
				key, v := fmt.Sprint((i*7+worker)%40), &value{int64(i % 90)}
				c.Put(key, v)
				c.Update(key, v, func() { v.size += 3 })
				c.Get(fmt.Sprint(i % 40))
			}
		})
	}
	all.Wait()
	var sum int64
	for _, v := range c.Values() {
		sum += v.size
	}
	if sum != c.size || sum > 1000 {
		t.Errorf("values of %d are kept, %d are counted, at most 1000 fit", sum, c.size)
	}
}
