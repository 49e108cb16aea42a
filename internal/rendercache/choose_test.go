package rendercache

import "testing"

// TestCodingOfAnAcceptEncodingHeader has headers of RFC 9110, section 12.5.3, as clients send them.
func TestCodingOfAnAcceptEncodingHeader(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]Coding{
		"": Identity, "identity": Identity, "gzip": Gzip, "x-gzip": Gzip, "GZIP": Gzip, "deflate": Identity, "compress, deflate": Identity, ",,": Identity,
		"gzip, deflate": Gzip, "gzip, deflate, br": Brotli, "gzip, deflate, br, zstd": Brotli, "zstd, br, gzip": Brotli, "gzip, zstd": Zstd,
		"br;q=0, gzip": Gzip, "br;q=0.5, zstd;q=0.8": Zstd, "gzip;q=1.000, br;q=0.999": Gzip, "gzip;Q=0.3": Gzip, "gzip ; q=0.3 , br;q=0.2": Gzip,
		"gzip;q=0": Identity, "gzip;q=0.000": Identity, "gzip;q=0.0001": Identity, "gzip;q=x": Identity, "gzip;x=1;q=0": Identity,
		"*": Brotli, "*;q=0": Identity, "br;q=0, *": Zstd, "br;q=0, zstd;q=0, *;q=0.1": Gzip, "gzip, *;q=0": Gzip,
		"identity, gzip": Gzip, "identity;q=1, gzip;q=0.5": Identity, "identity;q=0.5, gzip;q=1": Gzip, "gzip;q=0.5, identity;q=0": Gzip, "identity;q=0.5, *;q=0.4": Identity,
	} {
		if got := Choose(accept); got != want {
			t.Errorf("%q is answered in %s, want %s", accept, codingName[got], codingName[want])
		}
	}
}
