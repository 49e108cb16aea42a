package feedserver

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/bits"
)

// Sketch estimates how many distinct things it has seen, in constant memory and
// without keeping any of them (HyperLogLog). Sketches of several nodes merge. The
// error is about 5 %.
type Sketch [512]uint8

// Add shows the sketch one thing by its hash.
func (s *Sketch) Add(hash uint64) {
	const registerBits = 9
	rank := uint8(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1)) + 1)
	register := &s[hash>>(64-registerBits)]
	*register = max(*register, rank)
}

// Merge adds what another sketch has seen.
func (s *Sketch) Merge(o *Sketch) {
	for i := range s {
		s[i] = max(s[i], o[i])
	}
}

// MarshalText writes the sketch in Base64.
func (s Sketch) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, s[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Sketch) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(data) != len(s) {
		return fmt.Errorf("the sketch has %d bytes; it must have %d, in Base64", len(data), len(s))
	}
	copy(s[:], data)
	return nil
}

// Estimate returns the number of distinct things.
func (s *Sketch) Estimate() int {
	m := float64(len(s))
	sum, empty := 0.0, 0
	for _, rank := range s {
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
