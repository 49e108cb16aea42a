package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// importList measures what "tidings subscriber import" does: a CSV file is read,
// checked line by line, and stored.
func (f *environment) importList(ctx context.Context, engine string) (result, error) {
	dsn, err := f.dsn(ctx, engine)
	if err != nil {
		return result{}, err
	}
	s, err := store.Open(ctx, dsn, store.Options{Durability: store.Durability(f.durability)})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	if err := addDigest(ctx, s); err != nil {
		return result{}, err
	}
	path := filepath.Join(f.dir, "list.csv")
	if err := writeList(path, f.mails); err != nil {
		return result{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return result{}, err
	}
	defer file.Close()
	begin := time.Now()
	rows := subscriber.ReadList(file, subscriber.ListOptions{})
	got, err := s.ImportSubscribers(ctx, rows, store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	if err == nil && got.Added != int64(f.mails) {
		err = fmt.Errorf("%d of %d were added", got.Added, f.mails)
	}
	return result{mails: f.mails, took: time.Since(begin)}, err
}

func writeList(path string, n int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "address,name,language")
	for i := range n {
		fmt.Fprintf(w, "reader%d@example.org,Reader No %d,en\n", i, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
