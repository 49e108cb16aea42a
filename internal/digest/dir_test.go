package digest

import (
	"os"
	"path/filepath"
	"testing"
)

// writeMail writes a custom mail template into a folder.
func writeMail(t *testing.T, dir, name, html, text string) {
	t.Helper()
	mail := filepath.Join(dir, "mail")
	if err := os.MkdirAll(mail, 0o755); err != nil {
		t.Fatal(err)
	}
	for suffix, source := range map[string]string{".html": html, ".txt": text} {
		if err := os.WriteFile(filepath.Join(mail, name+suffix), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
