package admin

import (
	"strings"
	"testing"
)

func FuzzRedirectAfterSignInStaysInAdmin(f *testing.F) {
	for _, seed := range []string{"/admin/", "//evil.example", "/admin/../", `/admin/\evil`, "/admin/%2e%2e/", "/admin/articles\r\nX: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if got := adminPath(path); !strings.HasPrefix(got, "/admin/") || strings.Contains(got, "//") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("%q leads to %q", path, got)
		}
	})
}
