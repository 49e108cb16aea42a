package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2id with 19 MiB and two passes (OWASP's first choice). Two are made at a time,
// so that a flood of sign-ins cannot take the memory of the whole service.
const (
	passMemory  = 19 * 1024 // KiB
	passTime    = 2
	passThreads = 1
	passBytes   = 32
)

// hash makes what is kept of a password, in PHC form.
func (room *Room) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	key, err := room.derive(ctx, password, salt, passTime, passMemory, passThreads)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, passMemory, passTime, passThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), err
}

// derive does the work, when it is this request's turn.
func (room *Room) derive(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8) ([]byte, error) {
	select {
	case room.hashing <- struct{}{}:
		defer func() { <-room.hashing }()
		return argon2.IDKey([]byte(password), salt, time, memory, threads, passBytes), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// matches says whether a password is the one that a hash was made of.
func (room *Room) matches(ctx context.Context, hash, password string) (bool, error) {
	var version int
	var memory, time uint32
	var threads uint8
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errors.New("the stored password is in no form that we know")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads); err != nil || version != argon2.Version {
		return false, errors.New("the stored password is in no form that we know")
	}
	if memory > 1<<20 || time == 0 || time > 100 || threads == 0 {
		return false, errors.New("the stored password asks for more work than is sensible")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	got, err := room.derive(ctx, password, salt, time, memory, threads)
	return subtle.ConstantTimeCompare(got, want) == 1, err
}
