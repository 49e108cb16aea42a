package config

import (
	"fmt"

	"github.com/tidings-press/tidings/internal/archive"
)

// Backup says how backups are made.
type Backup struct {
	// Public keys of age (age1…) that backups are encrypted to. Make a key pair with "tidings backup keygen", and keep the private key on another machine. Empty for backups that are not encrypted.
	Recipients []string `yaml:"recipients"`
}

func (c *checker) backup() {
	for i, key := range c.config.Backup.Recipients {
		_, err := archive.ParseRecipients([]string{key})
		c.failed(fmt.Sprintf("backup.recipients[%d]", i), err, `write the public key that "tidings backup keygen" prints`)
	}
}
