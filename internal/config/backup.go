package config

import (
	"fmt"
	"strings"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/schedule"
)

// Backup says how backups are made.
type Backup struct {
	// Public keys of age (age1…) that backups are encrypted to. Make a key pair with "tidings backup keygen", and keep the private key on another machine. Empty for backups that are not encrypted.
	Recipients []string `yaml:"recipients"`
	// When a backup is made, as a cron spec in the site's timezone, such as 30 3 * * *. One node makes it. Empty for none.
	Schedule string `yaml:"schedule"`
	// Folder for the backups on schedule. Best on another disk than the store.
	Folder string `yaml:"folder"`
	// Bucket for the backups on schedule, beside the folder or in its place.
	S3 *BackupS3 `yaml:"s3"`
	// How many backups on schedule are kept.
	Keep BackupKeep `yaml:"keep"`
}

// Updates says where releases of the program are listed.
type Updates struct {
	// Address of a feed of releases (RSS, Atom or JSON Feed), whose titles have versions such as v1.4.0. Only the command "tidings check-update" reads it.
	URL string `yaml:"url"`
}

// BackupKeep says how many backups are kept. The newest one always is.
type BackupKeep struct {
	// The last one of each of this many days.
	Daily int `yaml:"daily"`
	// The last one of each of this many weeks.
	Weekly int `yaml:"weekly"`
	// The last one of each of this many months.
	Monthly int `yaml:"monthly"`
}

// BackupS3 is a bucket of an S3-compatible store.
type BackupS3 struct {
	// Address of the service, such as https://s3.eu-central-1.amazonaws.com.
	Endpoint string `yaml:"endpoint"`
	// Name of the bucket, which must exist.
	Bucket string `yaml:"bucket"`
	// Beginning of the names of the objects, such as tidings/.
	Prefix string `yaml:"prefix"`
	// Region, if the service needs one.
	Region string `yaml:"region"`
	// Name of the key.
	AccessKey Secret `yaml:"access_key"`
	// The key's secret.
	SecretKey Secret `yaml:"secret_key"`
	// File with the key's secret, in place of secret_key.
	SecretKeyFile string `yaml:"secret_key_file"`
}

func (c *checker) backup() {
	if c.config.Updates.URL != "" {
		c.address("updates.url", c.config.Updates.URL)
	}
	b := &c.config.Backup
	for i, key := range b.Recipients {
		_, err := archive.ParseRecipients([]string{key})
		c.failed(fmt.Sprintf("backup.recipients[%d]", i), err, `write the public key that "tidings backup keygen" prints`)
	}
	if b.Schedule != "" {
		_, err := schedule.Parse(b.Schedule, c.config.Site.Timezone)
		c.failed("backup.schedule", err, "write a cron spec such as 30 3 * * *")
		if b.Folder == "" && b.S3 == nil {
			c.wrong("backup.schedule", "there is no place for the backups", "set backup.folder or backup.s3")
		}
	}
	c.existingFolder("backup.folder", &b.Folder)
	for key, n := range map[string]int{"daily": b.Keep.Daily, "weekly": b.Keep.Weekly, "monthly": b.Keep.Monthly} {
		if n < 0 {
			c.wrong("backup.keep."+key, "it is negative", "write how many backups are kept, or 0")
		}
	}
	if b.S3 == nil {
		return
	}
	c.address("backup.s3.endpoint", b.S3.Endpoint)
	c.required("backup.s3.bucket", b.S3.Bucket, "write the name of the bucket")
	c.secretFromFile("backup.s3", "secret_key", &b.S3.SecretKey, b.S3.SecretKeyFile, "a secret key")
	c.required("backup.s3.access_key", b.S3.AccessKey.Reveal(), "write the name of the key")
	if b.S3.SecretKeyFile == "" {
		c.required("backup.s3.secret_key", b.S3.SecretKey.Reveal(), "write the key's secret, or name its file with secret_key_file")
	}
	if strings.HasPrefix(b.S3.Prefix, "/") {
		c.wrong("backup.s3.prefix", "it begins with a slash", "write a prefix such as tidings/, or leave it out")
	}
}
