package token

import (
	"crypto/hmac"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Delivery identifies one mail to one person. Edition is empty for mails without one, such as
// confirmations.
type Delivery struct {
	Edition string // a UUID, or empty
	Person  Person
}

// ErrNotOurs is returned for local parts that Deliveries did not make.
var ErrNotOurs = errors.New("not one of our addresses")

// Deliveries makes and reads the local parts of return paths and Message-IDs. One delivery
// always has the same local part, on every node. Since the id of an edition follows from its
// digest and tick (see EditionID), a mail that is sent again after a restore has the Message-ID
// of the first copy. Deliveries is safe for concurrent use.
type Deliveries struct {
	code, old, editions code
}

// nameEncoding is base32, which survives servers that change the case of letters. A name is a
// letter for its use, a hyphen, and the encoded edition, person and code. A local part has at
// most 64 octets (RFC 5321, section 4.5.3.1.1), which leaves 38 octets for these three.
var nameEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

const (
	// 48 bits are enough, since a name also holds the 128 random bits of a person: to know
	// these, a forger needs a mail to that person, which holds a valid name already.
	deliveryCodeSize = 6
	deliverySize     = 16 + 16 + deliveryCodeSize
	nameLimit        = 64
)

// NewDeliveries returns Deliveries made from a secret, which must be the same on every node
// and never change.
func NewDeliveries(secret []byte) *Deliveries {
	return &Deliveries{
		code:     newCode(derive(secret, "delivery")),
		old:      newCode(append([]byte("tidings return path\x00"), secret...)),
		editions: newCode(derive(secret, "edition")),
	}
}

// EditionID derives the id of an edition from its digest and the key of its tick, so that a
// tick gives the same id after a restore. The id is a UUID of version 8 (RFC 9562, section
// 5.8).
func (d *Deliveries) EditionID(digest, tick string) string {
	var id uuid.UUID
	d.editions.sum(id[:0], len(id), []byte(digest), []byte{0}, []byte(tick))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// Name returns the local part for a delivery. use is a letter that tells the purposes apart,
// such as return path and Message-ID.
func (d *Deliveries) Name(use byte, id Delivery) string {
	var buf [deliverySize + 8]byte
	data := id.encode(buf[:0])
	if id.Person.Row != 0 {
		data = d.old.sum(data, oldCodeSize, []byte{use}, data)
	} else {
		data = d.code.sum(data, deliveryCodeSize, []byte{use}, data)
	}
	var text [nameLimit]byte
	return string(nameEncoding.AppendEncode(append(text[:0], use, '-'), data))
}

// Read decodes and verifies a local part that Name made. Upper and lower case are equal. It
// returns ErrNotOurs for everything else.
func (d *Deliveries) Read(local string) (use byte, id Delivery, err error) {
	if len(local) < 3 || len(local) > nameLimit || local[1] != '-' || hasLineBreak(local) {
		return 0, Delivery{}, ErrNotOurs
	}
	local = strings.ToLower(local)
	use = local[0]
	data, err := nameEncoding.DecodeString(local[2:])
	if err != nil {
		return 0, Delivery{}, ErrNotOurs
	}
	if len(data) == deliverySize {
		if data, ok := splitCode(d.code, use, data, deliveryCodeSize); ok {
			return use, decodeDelivery(data), nil
		}
	}
	if data, ok := splitCode(d.old, use, data, oldCodeSize); ok {
		id, err := decodeOldDelivery(data)
		return use, id, err
	}
	return 0, Delivery{}, ErrNotOurs
}

// splitCode separates data from its code, and reports whether the code is valid.
func splitCode(c code, use byte, data []byte, size int) ([]byte, bool) {
	if len(data) <= size {
		return nil, false
	}
	data, mac := data[:len(data)-size], data[len(data)-size:]
	return data, hmac.Equal(mac, c.sum(nil, size, []byte{use}, data))
}

func (id Delivery) encode(dst []byte) []byte {
	if id.Person.Row != 0 {
		return id.encodeOld(dst)
	}
	edition, _ := parseUUID(id.Edition) // the zero UUID for no edition
	return append(append(dst, edition[:]...), id.Person.ID[:]...)
}

func decodeDelivery(data []byte) Delivery {
	id := Delivery{Person: PersonOf(uuid.UUID(data[16:32]))}
	if edition := uuid.UUID(data[:16]); edition != uuid.Nil {
		id.Edition = edition.String()
	}
	return id
}

// Names of earlier versions, which had no random ids, hold the edition in one of three forms,
// the row number, and a longer code. The first octet gives the form of the edition.
const (
	noEdition = iota
	uuidEdition
	namedEdition
)

const oldCodeSize = 9

func (id Delivery) encodeOld(dst []byte) []byte {
	switch edition, ok := parseUUID(id.Edition); {
	case id.Edition == "":
		dst = append(dst, noEdition)
	case ok:
		dst = append(append(dst, uuidEdition), edition[:]...)
	default:
		dst = append(append(dst, namedEdition, byte(len(id.Edition))), id.Edition...)
	}
	return binary.AppendUvarint(dst, uint64(id.Person.Row))
}

// decodeOldDelivery decodes data whose code is valid. It still checks every length.
func decodeOldDelivery(data []byte) (Delivery, error) {
	r := reader{rest: data}
	var id Delivery
	switch kind := r.take(1); {
	case slices.Equal(kind, []byte{noEdition}):
	case slices.Equal(kind, []byte{uuidEdition}):
		id.Edition = r.uuid().String()
	case slices.Equal(kind, []byte{namedEdition}):
		if size := r.take(1); len(size) == 1 {
			id.Edition = string(r.take(uint64(size[0])))
		}
	default:
		return Delivery{}, ErrNotOurs
	}
	id.Person.Row = int64(r.number())
	if r.truncated || len(r.rest) > 0 {
		return Delivery{}, ErrNotOurs
	}
	return id, nil
}
