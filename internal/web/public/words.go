package public

import (
	"embed"
	"io/fs"
	"sync"

	"github.com/tidings-press/tidings/internal/words"
)

//go:embed words/*.json
var wordFiles embed.FS

// catalogue returns the translations of the fixed phrases of the pages.
var catalogue = sync.OnceValue(func() *words.Catalogue {
	folder, err := fs.Sub(wordFiles, "words")
	if err != nil {
		panic(err) // cannot fail: the name is valid
	}
	c, err := words.Load(folder)
	if err != nil {
		panic(err) // cannot fail: a test reads the embedded files
	}
	return c
})
