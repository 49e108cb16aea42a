package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

var databases atomic.Int64 // number of databases created so far

// newStore opens an empty store, which remove closes and deletes. A PostgreSQL store is made on
// server.
func newStore(ctx context.Context, engine string, server *testkit.Postgres) (db *store.Store, remove func(), err error) {
	dir, err := os.MkdirTemp("", "tidings-bench-feeds-")
	if err != nil {
		return nil, nil, err
	}
	dsn := "sqlite:" + filepath.Join(dir, "bench.db")
	switch engine {
	case "sqlite":
	case "postgres":
		dsn, err = server.Fresh(ctx, fmt.Sprint("feeds", databases.Add(1)))
	default:
		err = fmt.Errorf("unknown store %q; use sqlite, postgres or both with a comma", engine)
	}
	if err == nil {
		db, err = store.Open(ctx, dsn, store.Options{})
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, nil, err
	}
	return db, func() {
		db.Close()
		os.RemoveAll(dir)
	}, nil
}

func fill(ctx context.Context, db *store.Store, stored, bytes int) error {
	return benchkit.PutArticles(ctx, db, stored, func(i int) article.Article {
		a := makeArticle(i, bytes)
		a.Hash = a.ID
		return a
	})
}
