package ingest

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"time"
)

// datePrefix is as much of a file as is read to find its date.
const datePrefix = 16 << 10

// oldestFirst orders files by the dates of their articles. Articles appear in feeds
// in the order in which they come in, so a folder of old ones has to come in in
// the order of its dates. Files without a date come last, in the order of their
// names.
func oldestFirst(ctx context.Context, files fs.FS, names []string, options Options) ([]string, error) {
	if len(names) < 2 {
		return names, nil
	}
	options.Media = nil
	dates := make(map[string]time.Time, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dates[name] = dateOf(files, name, options)
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int {
		switch x, y := dates[a], dates[b]; {
		case x.IsZero() != y.IsZero():
			if x.IsZero() {
				return 1
			}
			return -1
		default:
			return x.Compare(y)
		}
	})
	return sorted, nil
}

// dateOf is the date of a file's first article, zero when its beginning says none.
// What is wrong with the file is reported when it is imported.
func dateOf(files fs.FS, name string, options Options) time.Time {
	if info, err := fs.Stat(files, name); err != nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	file, err := files.Open(name)
	if err != nil {
		return time.Time{}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, datePrefix))
	if err != nil {
		return time.Time{}
	}
	input := File{Name: name, Data: data}
	if info, err := file.Stat(); err == nil {
		input.Modified = info.ModTime()
	}
	imported, _ := importSafely(input, options)
	for _, one := range imported {
		if one.Article != nil {
			return one.Article.Published
		}
	}
	return time.Time{}
}
