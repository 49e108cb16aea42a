package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"math/bits"
)

// The seal is an empty gzip member (RFC 1952) behind the compressed lines. Its extra field has
// the SHA-256 of all bytes before it. It protects what gzip's own checksum does not: the header
// of the stream and the unused bits at its end. Other programs read the file as if there were
// no seal.

// sealStart and sealEnd surround the checksum: a header with an extra field of 36 bytes that
// begins with the name TS and the length 32, and an empty block with its checksum and length.
var (
	sealStart = []byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 36, 0, 'T', 'S', 32, 0}
	sealEnd   = []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0}
)

const sealSize = 16 + sha256.Size + 10

// seal returns the seal of the bytes that were hashed.
func seal(sum hash.Hash) []byte {
	return append(sum.Sum(bytes.Clone(sealStart)), sealEnd...)
}

// unsealer reads the bytes before a seal. At the end it reports in sealed whether the seal
// follows and fits.
type unsealer struct {
	from   *bufio.Reader
	sum    hash.Hash
	sealed bool
}

func newUnsealer(r io.Reader) *unsealer {
	return &unsealer{from: bufio.NewReaderSize(r, 1<<16), sum: sha256.New()}
}

// Read holds the last bytes back until it is clear whether they are the seal.
func (u *unsealer) Read(p []byte) (int, error) {
	data, err := u.from.Peek(u.from.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if len(data) <= sealSize && bytes.Equal(data, seal(u.sum)) {
		u.sealed = true
		_, err = u.from.Discard(len(data))
		return 0, errors.Join(err, io.EOF)
	}
	if len(data) == 0 {
		return 0, io.EOF
	}
	if len(data) > sealSize {
		data = data[:len(data)-sealSize]
	}
	n := copy(p, data)
	u.sum.Write(data[:n])
	_, err = u.from.Discard(n)
	return n, err
}

// Tally is the number and a checksum of the rows of a table, regardless of their order. The
// checksum is the sum of the rows' SHA-256, modulo 2^256.
type Tally struct {
	Rows int64
	sum  [4]uint64 // the least significant first
	line []byte
}

// Add adds a row.
func (t *Tally) Add(values []any) (err error) {
	if t.line, err = appendRow(t.line[:0], values); err != nil {
		return err
	}
	t.addLine(t.line)
	return nil
}

// addLine adds a row as it is written, without the end of the line.
func (t *Tally) addLine(line []byte) {
	t.Rows++
	sum := sha256.Sum256(line)
	carry := uint64(0)
	for i := range t.sum {
		word := uint64(0)
		for _, b := range sum[8*i : 8*i+8] {
			word = word<<8 | uint64(b)
		}
		t.sum[i], carry = bits.Add64(t.sum[i], word, carry)
	}
}

// Sum returns the checksum in hex.
func (t *Tally) Sum() string {
	out := make([]byte, 0, 32)
	for _, word := range t.sum {
		for shift := 56; shift >= 0; shift -= 8 {
			out = append(out, byte(word>>shift))
		}
	}
	return hex.EncodeToString(out)
}
