package publicnet_test

import (
	"errors"
	"testing"

	"github.com/tidings-press/tidings/internal/publicnet"
)

func TestOnlyPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"93.184.215.14:443": true, "[2606:2800:21f:cb07::1]:80": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:80": false, "192.168.0.1:443": false, "172.16.0.1:80": false,
		"169.254.169.254:80": false, "0.0.0.0:80": false, "100.64.0.1:80": false, "224.0.0.1:80": false, "240.0.0.1:80": false,
		"[::ffff:127.0.0.1]:80": false, "[fe80::1]:80": false, "[fd00::1]:80": false, "[2002:7f00:1::]:80": false, "[64:ff9b::7f00:1]:80": false,
	} {
		_, err := publicnet.Check(address)
		if public != (err == nil) || !public && !errors.Is(err, publicnet.ErrPrivate) {
			t.Errorf("%s: %v, want public %t", address, err, public)
		}
		if got := publicnet.Control(t.Context(), "tcp", address, nil); (got == nil) != public {
			t.Errorf("a connection to %s: %v", address, got)
		}
	}
	if _, err := publicnet.Check("no address"); err == nil {
		t.Error("text that is no address passes")
	}
}
