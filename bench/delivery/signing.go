package main

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidings-press/tidings/mailer"
)

// signing measures the rate of signatures on all processors, which is the upper limit for signed mails.
func signing(kind string) (result, error) {
	key, err := mailer.GenerateKey(kind)
	if err != nil {
		return result{}, err
	}
	signer, err := mailer.ParsePrivateKey(key.PEM)
	if err != nil {
		return result{}, err
	}
	opts := crypto.Hash(0)
	if kind == "rsa" {
		opts = crypto.SHA256
	}
	digest := sha256.Sum256([]byte(kind))
	var made atomic.Int64
	var work sync.WaitGroup
	begin := time.Now()
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for time.Since(begin) < 3*time.Second {
				if _, err := signer.Sign(rand.Reader, digest[:], opts); err != nil {
					panic(err) // cannot happen with a generated key
				}
				made.Add(1)
			}
		})
	}
	work.Wait()
	return result{mails: int(made.Load()), took: time.Since(begin)}, nil
}
