package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipient is a public key that an archive is encrypted to.
type Recipient = age.Recipient

// Identity is a private key that opens an archive.
type Identity = age.Identity

// ErrKey is the kind of every error about the key of an encrypted archive, for errors.Is.
var ErrKey = errors.New("the encrypted backup cannot be opened")

// postQuantum is the beginning of a public key of age's hybrid type.
const postQuantum = "age1pq1"

// ParseRecipients parses public keys of age, such as age1….
func ParseRecipients(keys []string) ([]Recipient, error) {
	var out []Recipient
	for _, key := range keys {
		key = strings.TrimSpace(key)
		if strings.HasPrefix(strings.ToUpper(key), "AGE-SECRET-KEY-") {
			return nil, errors.New("this is a private key, and does not belong here; use its public key, which begins with age1")
		}
		parsed, err := age.ParseRecipients(strings.NewReader(key))
		if err != nil || len(parsed) != 1 {
			return nil, fmt.Errorf("%.80q is not a public key of age; it begins with age1", key)
		}
		out = append(out, parsed[0])
	}
	if len(out) == 0 {
		return nil, nil
	}
	if _, err := age.Encrypt(io.Discard, out...); err != nil {
		return nil, fmt.Errorf("these public keys cannot be used together: %w", err)
	}
	return out, nil
}

// maxKeyFile bounds a file with private keys.
const maxKeyFile = 1 << 20

// LoadIdentities reads the private keys in a file, as NewKey and age-keygen write it.
func LoadIdentities(path string) ([]Identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	keys, err := age.ParseIdentities(io.LimitReader(file, maxKeyFile))
	if err != nil { // the error of age may quote the key
		return nil, fmt.Errorf("%s contains no private key of age: a line AGE-SECRET-KEY-1…, as \"tidings backup keygen\" writes it", path)
	}
	return keys, nil
}

// NewKey returns a new key pair: the content of a file with the private key, and the public key.
func NewKey() (private, public string, err error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	public = key.Recipient().String()
	return fmt.Sprintf("# public key: %s\n%s\n", public, key), public, nil
}

// temporaryKey returns a key pair that exists in memory only. Create encrypts to it as well, reads the
// file back with it and forgets it.
func temporaryKey(recipients []Recipient) (Recipient, Identity, error) {
	for _, r := range recipients {
		if hybrid, ok := r.(*age.HybridRecipient); ok && strings.HasPrefix(hybrid.String(), postQuantum) {
			key, err := age.GenerateHybridIdentity()
			if err != nil {
				return nil, nil, err
			}
			return key.Recipient(), key, nil
		}
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, nil, err
	}
	return key.Recipient(), key, nil
}

// ageStart begins an encrypted file (age-encryption.org/v1).
var ageStart = []byte("age-encryption.org/")

// decrypt returns the content of an archive that may be encrypted.
func decrypt(r io.Reader, keys []Identity) (content io.Reader, encrypted bool, err error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	start, _ := buffered.Peek(len(ageStart)) // an error comes again with the next read
	if !bytes.Equal(start, ageStart) {
		return buffered, false, nil
	}
	if len(keys) == 0 {
		return nil, true, fmt.Errorf("%w without its key; name the file with the private key: --identity FILE", ErrKey)
	}
	content, err = age.Decrypt(buffered, keys...)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return nil, true, fmt.Errorf("%w: none of these keys opens it; it was encrypted to another key, or its beginning is damaged", ErrKey)
	case err != nil:
		return nil, true, formatError("the beginning of the encrypted file is cut off or damaged (%v)", err)
	}
	return content, true, nil
}
