package bounce

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// snsMessage is what SNS posts.
type snsMessage struct {
	Type             string
	MessageID        string `json:"MessageId"`
	Token            string
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// signed is what SNS signs: names and values, a line each, sorted.
func (m *snsMessage) signed() []byte {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", m.Message)
	line("MessageId", m.MessageID)
	if m.Type == "Notification" {
		if m.Subject != nil {
			line("Subject", *m.Subject)
		}
	} else {
		line("SubscribeURL", m.SubscribeURL)
	}
	line("Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		line("Token", m.Token)
	}
	line("TopicArn", m.TopicArn)
	line("Type", m.Type)
	return []byte(b.String())
}

// verify checks the signature with the certificate that the message names, which
// must be Amazon's.
func (m *snsMessage) verify(ctx context.Context, certs *certificates) error {
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return errSignature
	}
	key, err := certs.key(ctx, m.SigningCertURL)
	if err != nil {
		return fmt.Errorf("%w: certificate: %w", errSignature, err)
	}
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum(m.signed())
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256(m.signed())
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = fmt.Errorf("signature version %q", m.SignatureVersion)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	return nil
}

var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?$`)

// checkSNSAddress says whether an address is one of SNS: https, its host, no user and no
// port.
func checkSNSAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if u.Scheme != "https" || !snsHost.MatchString(u.Host) || u.User != nil {
		return fmt.Errorf("%.200q is not an address of SNS", address)
	}
	return nil
}

// certificates keeps SNS's keys by their addresses. There is one for each region
// and year.
type certificates struct {
	get  func(ctx context.Context, url string) ([]byte, error)
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey
}

const certificatesMax = 50

func (c *certificates) key(ctx context.Context, address string) (*rsa.PublicKey, error) {
	c.mu.Lock()
	key := c.keys[address]
	c.mu.Unlock()
	if key != nil {
		return key, nil
	}
	if err := checkSNSAddress(address); err != nil {
		return nil, err
	}
	data, err := c.get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	if key, err = publicKey(data); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= certificatesMax {
		c.keys = map[string]*rsa.PublicKey{}
	}
	c.keys[address] = key
	return key, nil
}

func publicKey(data []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM in it")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("its key is not of RSA")
	}
	return key, nil
}

// fetch gets a small document.
func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 64<<10))
}
