package config

import "testing"

// TestPasswordOfAStoreThatMayGoInClearIsWarnedOf: the host may stand in a parameter, as tools of PostgreSQL write
// addresses with the folder of a socket, and the parameter is the one that counts.
func TestPasswordOfAStoreThatMayGoInClearIsWarnedOf(t *testing.T) {
	t.Parallel()
	for dsn, host := range map[DSN]string{
		"postgres://u:p@db.example.org/t":                                   "db.example.org",
		"postgresql://u:p@192.0.2.7:5432/t?sslmode=prefer":                  "192.0.2.7",
		"postgres://u:p@[2001:db8::1]:5432/t?sslmode=disable":               "2001:db8::1",
		"postgres://u:p@/t?host=db.example.org":                             "db.example.org",
		"postgres:///t?user=u&password=p&host=db.example.org&sslmode=allow": "db.example.org",
		"postgres://u:p@localhost/t?host=db.example.org":                    "db.example.org",
		"postgres://u:p@db.example.org/t?host=localhost":                    "",
		"postgres://u:p@/t?host=%2Fvar%2Frun%2Fpostgresql":                  "",
		"postgres://u:p@db.example.org/t?host=/var/run/postgresql":          "",
		"postgres://u:p@/t?host=db.example.org&sslmode=require":             "",
		"postgres://u:p@db.example.org/t?sslmode=verify-full":               "",
		"postgres://u:p@localhost/t":                                        "",
		"postgres://u:p@127.0.0.1:5432/t":                                   "",
		"postgres://u:p@[::1]/t":                                            "",
		"postgres://u:p@/t":                                                 "",
		"postgres://u@db.example.org/t":                                     "",
		"postgres:///t?host=db.example.org":                                 "",
		"sqlite:/var/lib/t.db":                                              "",
		"":                                                                  "",
	} {
		got, clear := dsn.passwordInClear()
		if clear != (host != "") || clear && got != host {
			t.Errorf("%s: in clear %v to %q, want to %q", dsn, clear, got, host)
		}
	}
}
