package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/net/idna"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

func newDKIM(a *cli) *cobra.Command {
	return group("dkim", "Generate keys that sign mails", newDKIMKeygen(a))
}

const keygenLong = `Keygen writes a private key to a new file and prints the DNS record that receivers check
signatures with. All receivers support RSA; Ed25519 is newer and forty times faster. With two keys
under two selectors, every mail is signed twice.`

func newDKIMKeygen(a *cli) *cobra.Command {
	var kind, domain, selector string
	c := &cobra.Command{
		Use:     "keygen FILE",
		Short:   "Generate a key and print its DNS record",
		Long:    keygenLong,
		Example: "  tidings dkim keygen dkim.pem --domain example.org --selector 2026a",
		Args:    exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if domain == "" {
				return usagef("--domain is missing; add the domain of the senders, such as --domain example.org")
			}
			ascii, err := idna.Lookup.ToASCII(domain) // as DNS has it (RFC 5890)
			if _, wrong := subscriber.ParseAddress("a@" + domain); err != nil || wrong != nil {
				return usagef("--domain %q is not a domain; write it like --domain example.org", domain)
			}
			if !config.IsSelector(selector) {
				return usagef("--selector %q is not a DKIM selector; use lower-case letters, digits and hyphens, such as --selector 2026a", selector)
			}
			key, err := mailer.GenerateKey(kind)
			if err != nil {
				return &usageError{err}
			}
			if err := writeSecret(args[0], key.PEM); err != nil {
				return err
			}
			return a.printKey(args[0], ascii, selector, key.Record)
		},
	}
	c.Flags().StringVar(&kind, "type", "rsa", "rsa (2048 bits) or ed25519")
	c.Flags().StringVar(&domain, "domain", "", "domain of the senders")
	c.Flags().StringVar(&selector, "selector", "tidings", "name of the key in DNS")
	return c
}

func (a *cli) printKey(file, domain, selector, record string) error {
	name := selector + "._domainkey." + domain
	return a.print(map[string]string{"file": file, "name": name, "type": "TXT", "value": record}, func(w io.Writer) {
		fmt.Fprintf(w, "The key is in %s. Add this TXT record to DNS:\n\n%s\n%s\n\nand this to the configuration:\n\nmail:\n  dkim:\n  - domain: %s\n    selector: %q\n    key_file: %s\n",
			file, name, record, domain, selector, file)
	})
}

// writeSecret writes a new file that only its owner may read.
func writeSecret(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return usagef("%s exists already; name a new file", path)
	}
	if err != nil {
		return err
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Close()
}
