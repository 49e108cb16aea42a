// Package samples holds the articles that the demo publishes: a small town's
// gazette in five languages, with pictures and a sound. Articles returns them.
package samples

import (
	"embed"
	"io/fs"
)

//go:generate go run ./draw articles

//go:embed articles
var files embed.FS

// Articles returns the folder of sample articles, Markdown files with the
// pictures and the sound that they name.
func Articles() fs.FS {
	sub, err := fs.Sub(files, "articles")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}
