package ingest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article/ingest"
)

func TestPortraitsOfAuthorsAreRead(t *testing.T) {
	t.Parallel()
	a := importOne(t, "posts/here.md", "---\ntitle: A\ndate: 2026-11-23\nauthors:\n- {name: Anna, portrait: /media/anna.jpg}\n- {name: Ben, avatar: https://post.example/ben.jpg}\n- {name: Carla, image: 'javascript:x'}\n---\nText.\n", ingest.Options{Site: site}).Article
	var portraits []string
	for _, author := range a.Authors {
		portraits = append(portraits, author.Portrait)
	}
	if got := strings.Join(portraits, " "); got != "/media/anna.jpg https://post.example/ben.jpg " {
		t.Errorf("portraits %q", got)
	}
	if !slices.Contains(a.MediaNames(), "anna.jpg") {
		t.Errorf("media %v", a.MediaNames())
	}
}
