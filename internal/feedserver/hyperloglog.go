package feedserver

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/bits"
)

// HyperLogLog estimates the number of distinct values among those added, in constant memory
// and without storing any of them. Estimators of several nodes can be merged. The error is
// about 5 %.
type HyperLogLog [512]uint8

// Add adds a value by its hash.
func (h *HyperLogLog) Add(hash uint64) {
	const registerBits = 9
	rank := uint8(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1)) + 1)
	register := &h[hash>>(64-registerBits)]
	*register = max(*register, rank)
}

// Merge adds the values of another estimator.
func (h *HyperLogLog) Merge(o *HyperLogLog) {
	for i := range h {
		h[i] = max(h[i], o[i])
	}
}

// MarshalText returns the registers in Base64.
func (h HyperLogLog) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, h[:]), nil
}

// UnmarshalText reads the output of MarshalText.
func (h *HyperLogLog) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(data) != len(h) {
		return fmt.Errorf("a HyperLogLog has %d bytes; it must have %d, in Base64", len(data), len(h))
	}
	copy(h[:], data)
	return nil
}

// Estimate returns the estimated number of distinct values.
func (h *HyperLogLog) Estimate() int {
	m := float64(len(h))
	sum, empty := 0.0, 0
	for _, rank := range h {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 {
		estimate = m * math.Log(m/float64(empty))
	}
	return int(math.Round(estimate))
}
