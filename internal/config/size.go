package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written such as "64MB" or "512KiB".
type Size int64

// units are the units of sizes, larger first for printing.
var units = []struct {
	name  string
	bytes Size
}{
	{"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"KB", 1e3}, {"KiB", 1 << 10}, {"B", 1},
}

// ParseSize reads a size such as 64MB, 512KiB or 100 B.
func ParseSize(text string) (Size, error) {
	digits := strings.TrimRight(text, "GgMmKkIiBb ")
	unit := strings.TrimSpace(text[len(digits):])
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || !(number >= 0) {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	for _, u := range units {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		if total := number * float64(u.bytes); total < math.MaxInt64 {
			return Size(total), nil
		}
		return 0, fmt.Errorf("%q is too large", text)
	}
	return 0, fmt.Errorf("%q has no unit", text)
}

// String returns the size in the form that ParseSize reads.
func (s Size) String() string {
	for _, u := range units {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText returns the size in the form that ParseSize reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
