package mailer

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParsePrivateKey reads a private key in PEM: PKCS #8 (RSA or Ed25519) or PKCS #1 (RSA).
func ParsePrivateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("mailer: no PEM found; a private key begins with -----BEGIN PRIVATE KEY-----")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("mailer: %w", err)
		}
		return key, nil
	case "PRIVATE KEY":
		return parsePKCS8(block.Bytes)
	}
	return nil, fmt.Errorf("mailer: PEM of type %q; use a PRIVATE KEY or RSA PRIVATE KEY", block.Type)
}

func parsePKCS8(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("mailer: a key of type %T: RSA and Ed25519 can sign mail", key)
}

// GeneratedKey is a new key in PEM, and the value of the TXT record to publish at
// SELECTOR._domainkey.DOMAIN.
type GeneratedKey struct {
	PEM    []byte
	Record string
}

// GenerateKey generates a key of the kind "rsa" (2048 bits) or "ed25519".
func GenerateKey(kind string) (GeneratedKey, error) {
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("unknown kind of key %q; use rsa or ed25519", kind)
	}
	if err != nil {
		return GeneratedKey{}, fmt.Errorf("mailer: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return GeneratedKey{}, fmt.Errorf("mailer: %w", err)
	}
	record, err := DKIMRecord(key)
	return GeneratedKey{PEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), Record: record}, err
}

// DKIMRecord returns the TXT record of the public key. DNS requires a record of more than 255 octets
// to be split into several strings; most registrars' forms do that.
func DKIMRecord(key crypto.Signer) (string, error) {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", fmt.Errorf("mailer: %w", err)
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), nil
	default:
		return "", fmt.Errorf("mailer: a key of type %T: RSA and Ed25519 can sign mail", key)
	}
}
