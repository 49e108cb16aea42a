package testkit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

var databases struct {
	sync.Mutex
	made     atomic.Int64
	template map[*Postgres]error
}

// Database creates an empty database that is dropped when the test ends, and returns its
// DSN.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	return p.database(t, "")
}

// DatabaseFrom creates a database as a copy of a template database, which prepare fills
// once per server. A copy is far faster than running all migrations.
func (p *Postgres) DatabaseFrom(t testing.TB, prepare func(dsn string) error) string {
	t.Helper()
	databases.Lock()
	defer databases.Unlock()
	err, made := databases.template[p]
	if !made {
		if err = p.Exec(context.Background(), "CREATE DATABASE prepared"); err == nil {
			err = prepare(p.dsn("prepared"))
		}
		if databases.template == nil {
			databases.template = map[*Postgres]error{}
		}
		databases.template[p] = err
	}
	if err != nil {
		t.Fatalf("prepare the template database: %v", err)
	}
	clause := " TEMPLATE prepared"
	if majorVersion(p.bin) >= 15 {
		clause += " STRATEGY FILE_COPY" // PostgreSQL would write all into its log
	}
	return p.database(t, clause)
}

func (p *Postgres) database(t testing.TB, clause string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.made.Add(1))
	if err := p.Exec(context.Background(), "CREATE DATABASE "+name+clause); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		_ = p.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") // fails if the server is down, whose data is removed anyway
	})
	return p.dsn(name)
}
