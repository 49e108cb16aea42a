package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// planted is the secret that is put into every key that can hold one.
const planted = "hunter2"

// plant fills every field of a hidden type, below lists and pointers too.
func plant(v reflect.Value) (filled int) {
	if v.CanAddr() {
		switch into := v.Addr().Interface().(type) {
		case *Secret:
			*into = planted
			return 1
		case *DSN:
			*into = "postgres://press:" + planted + "@db.example.org/press?sslpassword=" + planted
			return 1
		case *HeaderLine:
			*into = "X-Server-Token: " + planted
			return 1
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && v.CanSet() {
			v.Set(reflect.New(v.Type().Elem()))
			return plant(v.Elem())
		}
	case reflect.Slice:
		if v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			return plant(v.Index(0))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled += plant(v.Field(i))
			}
		}
	}
	return filled
}

func TestNoKeyPrintsItsSecret(t *testing.T) {
	t.Parallel()
	c := Default()
	if n := plant(reflect.ValueOf(c).Elem()); n < 5 {
		t.Fatalf("only %d keys hold a secret", n)
	}
	asYAML, err1 := c.YAML()
	asJSON, err2 := c.JSON()
	direct, err3 := json.Marshal(c)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "config", c, "relays", c.Relays, "dsn", c.Store.DSN)
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", "config", c, "relays", c.Relays, "dsn", c.Store.DSN)
	for name, text := range map[string]string{
		"YAML": string(asYAML), "JSON": string(asJSON), "encoding/json": string(direct), "log": log.String(),
		"%v": fmt.Sprintf("%v", *c), "%+v": fmt.Sprintf("%+v", *c), "%#v": fmt.Sprintf("%#v", *c), "%s of a header": fmt.Sprintf("%s", c.Relays[0].ExtraHeaders),
	} {
		if strings.Contains(text, planted) {
			t.Errorf("%s shows a secret: %s", name, text)
		}
	}
}

func TestSecretKeysHaveHiddenType(t *testing.T) {
	t.Parallel()
	hiddenTypes := map[reflect.Type]bool{reflect.TypeFor[Secret](): true, reflect.TypeFor[DSN](): true, reflect.TypeFor[HeaderLine](): true}
	harmless := map[string]bool{"password_file": true, "client_secret_file": true, "secret_key_file": true, "token_file": true, "auth": true, "author": true, "authors": true} // paths, mechanisms and people
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				field := typ.Field(i)
				key, of := field.Tag.Get("yaml"), field.Type
				if of.Kind() == reflect.Slice {
					of = of.Elem()
				}
				sounds := isSecretName(key) || strings.Contains(key, "dsn") || strings.Contains(key, "header")
				if key != "" && sounds && of.Kind() == reflect.String && !harmless[key] && !hiddenTypes[of] {
					t.Errorf("%s.%s may hold a secret and is a %s: give it the type Secret", typ.Name(), field.Name, of)
				}
				if key != "" {
					walk(field.Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func TestStoreAddressIsShownWithoutPassword(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[DSN]string{
		"sqlite:/var/lib/t.db":                               "sqlite:/var/lib/t.db",
		"postgres://u:p@w:x@h/db":                            "postgres://u:***@h/db",
		"postgres://u:p?w@h/db?sslmode=require":              "postgres://u:***@h/db?sslmode=require",
		"postgres://u@h1:1,h2:2/db?target_session_attrs=any": "postgres://u@h1:1,h2:2/db?target_session_attrs=any",
		"postgres://h/db?user=u&password=p&sslpassword=q":    "postgres://h/db?user=u&password=***&sslpassword=***",
		"postgres://h/db?pass%77ord=p":                       "postgres://h/db?pass%77ord=***",
		"host=h password=p":                                  "(not shown: it may hold a password)",
	} {
		if got := dsn.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// mode gives a file its mode, whatever the umask says.
func mode(t *testing.T, path, content string, perm os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), perm); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil {
		t.Fatal(err)
	}
}

func TestReadableSecretFilesGiveWarning(t *testing.T) {
	t.Setenv("TIDINGS_TEST_PASSWORD", "from the environment")
	for name, test := range map[string]struct {
		relay       string
		config, key os.FileMode
		want        string // keys with a warning about a mode
	}{
		"everything private":            {"password: hunter2", 0o600, 0o600, ""},
		"a group may read":              {"password: hunter2", 0o640, 0o640, ""},
		"a password in an open file":    {"password: hunter2", 0o644, 0o600, "relays[0].password"},
		"a default in an open file":     {`password: "${TIDINGS_TEST_NONE:-hunter2}"`, 0o644, 0o600, "relays[0].password"},
		"a token in an open file":       {`password_file: secret, extra_headers: ["X-Auth-Token: hunter2"]`, 0o644, 0o600, "relays[0].extra_headers[0]"},
		"a password elsewhere":          {`password: "${TIDINGS_TEST_PASSWORD}"`, 0o644, 0o600, ""},
		"an open key and password file": {"password_file: secret", 0o644, 0o604, "mail.dkim[0].key_file relays[0].password_file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mode(t, filepath.Join(dir, "secret"), "hunter2\n", test.key)
			mode(t, filepath.Join(dir, "key.pem"), "a key", test.key)
			path := filepath.Join(dir, "config.yaml")
			mode(t, path, "relays: [{host: mail.example.org, username: u, "+test.relay+"}]\nmail: {dkim: [{domain: example.org, selector: a, key_file: key.pem}]}\n", test.config)
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, w := range c.SecurityWarnings() {
				if !strings.Contains(w.What, "can read") || strings.Contains(w.Error(), planted) {
					t.Errorf("unexpected warning: %v", w)
				}
				keys = append(keys, w.Key)
			}
			if got := strings.Join(keys, " "); got != test.want {
				t.Errorf("warnings about %q, want %q", got, test.want)
			}
		})
	}
}

func TestPasswordsNeedTLSExceptLocally(t *testing.T) {
	t.Parallel()
	const account = "username: u, password: hunter2"
	for _, test := range []struct{ in, refused, warned string }{
		{"relays: [{host: mail.example.org, tls: opportunistic, " + account + "}]", "relays[0].tls", ""},
		{"relays: [{host: mail.example.org, tls: none, auth: scram, " + account + "}]", "relays[0].tls", ""},
		{"relays: [{host: 127.example.org, tls: none, " + account + "}]", "relays[0].tls", ""},
		{"relays: [{host: 10.0.0.5, port: 25, tls: opportunistic, " + account + "}]", "relays[0].tls", ""},
		{"relays: [{host: mail.example.org, tls: opportunistic, auth: none, " + account + "}]", "", ""},
		{"relays: [{host: mail.example.org, " + account + "}]", "", ""},
		{"relays: [{host: localhost, tls: none, " + account + "}]", "", "relays[0].tls"},
		{"relays: [{host: '::1', tls: opportunistic, " + account + "}]", "", "relays[0].tls"},
		{"relays: [{socket: /run/smtp, " + account + "}]", "", ""},
		{"mail: {test_mailbox: {host: mail.example.org, tls: none, " + account + "}}", "mail.test_mailbox.tls", ""},
		{"mail: {test_mailbox: {host: 127.0.0.1, tls: none, " + account + "}}", "", "mail.test_mailbox.tls"},
		{"bounces: {mailbox: {host: mail.example.org, tls: none, " + account + "}}", "bounces.mailbox.tls", ""},
		{"bounces: {mailbox: {host: 127.0.0.1, tls: none, " + account + "}}", "", "bounces.mailbox.tls"},
		{"store: {dsn: 'postgres://u:hunter2@db.example.org/press'}", "", "store.dsn"},
		{"store: {dsn: 'postgres://u:hunter2@db.example.org/press?sslmode=verify-full'}", "", ""},
		{"store: {dsn: 'postgres://u:hunter2@localhost/press'}", "", ""},
	} {
		c, err := Parse([]byte(test.in), "")
		problems, _ := err.(Problems)
		var refused, warned string
		for _, p := range problems {
			refused += p.Key
		}
		if c != nil {
			for _, w := range c.SecurityWarnings() {
				if strings.Contains(w.What, "TLS") {
					warned += w.Key
				}
			}
		}
		if refused != test.refused || warned != test.warned {
			t.Errorf("%s\nis refused at %q and warned about at %q, want %q and %q", test.in, refused, warned, test.refused, test.warned)
		}
	}
}
