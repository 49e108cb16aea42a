package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres opens one pool for readers and writers, since PostgreSQL takes any
// number of writers, and one for recorders.
func openPostgres(ctx context.Context, dsn string, opts Options) (pools, error) {
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		return pools{}, &OpenError{
			Store: Redact(dsn), What: "the address cannot be read: " + parseReason(err),
			Fix: "use postgres://user:password@host:port/name, with %-escapes for special characters in the password", Err: nil,
		}
	}
	setSession(conf, opts)
	db := stdlib.OpenDB(*conf, countConnects(opts))
	conns := opts.Conns
	if conns == 0 {
		conns = max(16, 8*runtime.GOMAXPROCS(0))
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return pools{}, describePostgres(dsn, err)
	}
	return pools{writers: db, readers: db, recorders: openRecorders(conf, opts)}, nil
}

// openRecorders opens the pool for outcomes of deliveries. Its few statements find each row by its
// key, whatever the statistics of a table that was just filled. PostgreSQL takes longer to plan
// them than to commit, so they are planned once.
func openRecorders(conf *pgx.ConnConfig, opts Options) *sql.DB {
	conf = conf.Copy()
	for name, value := range map[string]string{"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"} {
		conf.RuntimeParams[name] = value
	}
	db := stdlib.OpenDB(*conf, countConnects(opts))
	db.SetMaxOpenConns(MaxRecorders)
	db.SetMaxIdleConns(MaxRecorders)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// countConnects counts each connection before its first use.
func countConnects(opts Options) stdlib.OptionOpenDB {
	return stdlib.OptionAfterConnect(func(context.Context, *pgx.Conn) error {
		opts.connects.Add(1)
		return nil
	})
}

// MaxRecorders is the number of connections in the pool of recorders.
const MaxRecorders = 2

// SessionName is the application_name of our connections.
const SessionName = "tidings"

// setSession adds the parameters that every connection needs and the DSN does not set.
// A transaction whose process is frozen releases its locks after half a minute.
func setSession(conf *pgx.ConnConfig, opts Options) {
	commit := "on" // waits for the disk, and for the synchronous standby where there is one
	if opts.Durability == Normal {
		commit = "off"
	}
	defaults := map[string]string{
		"application_name":                    cmp.Or(opts.Name, SessionName),
		"idle_in_transaction_session_timeout": "30000",
		"synchronous_commit":                  commit,
		"timezone":                            "UTC",
	}
	for name, value := range defaults {
		if _, given := conf.RuntimeParams[name]; !given {
			conf.RuntimeParams[name] = value
		}
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = 10 * time.Second
	}
	conf.DialFunc = dialPostgres(conf.ConnectTimeout)
}

// unackedTimeout is how long the server's machine may leave data unacknowledged before the
// connection is closed. The system's default is a quarter of an hour.
const unackedTimeout = 30 * time.Second

func dialPostgres(timeout time.Duration) pgconn.DialFunc {
	dialer := net.Dialer{
		Timeout:         timeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: unackedTimeout / 3, Interval: unackedTimeout / 3, Count: 3},
		Control: func(network, _ string, conn syscall.RawConn) error {
			if !strings.HasPrefix(network, "tcp") {
				return nil
			}
			var failed error
			err := conn.Control(func(fd uintptr) { failed = setUserTimeout(fd, int(unackedTimeout.Milliseconds())) })
			return errors.Join(err, failed)
		},
	}
	return dialer.DialContext
}

// parseReason returns pgx's reason without the connection string that it repeats.
func parseReason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 {
		return text[i+len("`: "):]
	}
	if inner := errors.Unwrap(err); inner != nil && !strings.Contains(inner.Error(), "@") {
		return inner.Error()
	}
	return "it has a syntax error"
}

// describePostgres turns a failed connection into what is wrong and how to fix it.
func describePostgres(dsn string, err error) error {
	out := &OpenError{Store: Redact(dsn), Err: err}
	var refused *pgconn.PgError
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &refused):
		out.What, out.Fix = describeRefusal(refused)
	case errors.As(err, &lookup):
		out.What = fmt.Sprintf("unknown host %q", lookup.Name)
		out.Fix = "use a host name that resolves on this machine"
	case errors.Is(err, context.DeadlineExceeded):
		out.What, out.Fix = "the server does not answer", "use a host and port that this machine can reach; a firewall may drop the packets"
	case errors.As(err, &network):
		out.What = "the server cannot be reached: " + network.Err.Error()
		out.Fix = "start PostgreSQL on this host and port, or use its address"
	default:
		out.What, out.Fix = "no connection: "+err.Error(), "run PostgreSQL 13 or later at this address"
	}
	return out
}

// describeRefusal explains the SQLSTATE with which a server refused a connection.
func describeRefusal(refused *pgconn.PgError) (what, fix string) {
	what = "the server refuses: " + refused.Message
	switch refused.Code {
	case "28P01", "28000":
		return what, "use the name and password of a role that may connect; see also pg_hba.conf"
	case "3D000":
		return what, "create the database first: createdb NAME"
	case "53300":
		return what, "use fewer clients, or a larger max_connections"
	case "57P03":
		return what, "wait until the server has started"
	case "42501":
		return what, "use a role that may create tables in this database's schema"
	}
	return what, "use a server and a role that accept this connection"
}
