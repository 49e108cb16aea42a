package main

import (
	"bytes"
	"encoding/binary"
	"math"
)

// foghorn is a WAV file of two seconds: two low blasts, 8,000 samples a second of
// 8 bits.
func foghorn() []byte {
	const rate, seconds = 8000, 2
	samples := make([]byte, rate*seconds)
	for i := range samples {
		t := float64(i) / rate
		blast := math.Mod(t, 1)
		loud := math.Min(1, blast*12) * math.Max(0, math.Min(1, (.8-blast)*8))
		tone := math.Sin(2*math.Pi*110*t) + .5*math.Sin(2*math.Pi*220*t) + .25*math.Sin(2*math.Pi*331*t)
		samples[i] = byte(128 + 60*loud*tone)
	}
	var out bytes.Buffer
	le := binary.LittleEndian
	header := []byte("RIFF")
	header = le.AppendUint32(header, uint32(36+len(samples)))
	header = append(header, "WAVEfmt "...)
	header = le.AppendUint32(header, 16)
	header = le.AppendUint16(header, 1) // PCM
	header = le.AppendUint16(header, 1) // one channel
	header = le.AppendUint32(header, rate)
	header = le.AppendUint32(header, rate) // bytes a second
	header = le.AppendUint16(header, 1)    // bytes a sample
	header = le.AppendUint16(header, 8)    // bits a sample
	header = append(header, "data"...)
	header = le.AppendUint32(header, uint32(len(samples)))
	out.Write(header)
	out.Write(samples)
	return out.Bytes()
}
