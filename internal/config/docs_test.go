package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

const docsIntro = `# Configuration

<!-- Generated from the comments in internal/config by: go test ./internal/config -run Docs -update -->

Tidings reads one file, ` + "`config.yaml`" + `, from the working folder, or the file that ` + "`--config`" + ` or the environment variable
` + "`TIDINGS_CONFIG`" + ` names. Without either, and without that file, the file of the packages is used, /etc/tidings/config.yaml. ` + "`tidings init`" + ` writes one to start from; the file at the root of the project shows every key in its
place. Without a file, commands stop with an error.

The file is read strictly: an unknown key, an impossible value or a cron spec that never fires is an error. ` + "`tidings config check`" + `
lists all errors, each with its line and how to fix it, and ` + "`serve`" + ` refuses to start.
` + "`tidings config show`" + ` prints the settings with defaults filled in and secrets hidden.

- **Durations** have a unit: ` + "`30s`, `15m`, `72h`, `2d`" + `. **Sizes** too: ` + "`512KiB`, `64MB`" + `.
- **Paths** are relative to the folder of the file.
- **Environment**: ` + "`${NAME}`" + ` in a value is replaced; ` + "`${NAME:-default}`" + ` has a default; ` + "`$${`" + ` is a plain ` + "`${`" + `.
- **Secrets** come from the environment or from files (` + "`password_file`" + `), never from flags. They are never printed or logged.
- **Reloading**: SIGHUP makes ` + "`serve`" + ` and ` + "`worker`" + ` read the file again. When it has errors, they log them and keep the old settings.
  Everything is reloaded except ` + "`store`, `log.format`, `bounces.smtp`, `bounces.lmtp`, `feed_server.memory`, `metrics` and `server`, of which `trusted_proxies` and `hsts` are" + `.
- **Settings of the admin**: editors change a listed set of keys in the admin (names, texts, colors, schedules, senders, filters; never
  listeners, the store, secrets or files). Such values are kept in the store and replace the file's, on every node within a second or
  two. They pass the same checks before they are stored, and environment variables are not expanded in them. The admin shows the file's value beside each, and
  goes back to it on request. ` + "`tidings config show --stored`" + ` lists them, ` + "`tidings config show --effective`" + ` prints what applies,
  ` + "`tidings config export`" + ` prints the file with them in place, and ` + "`tidings config set`" + ` and ` + "`tidings config unset`" + ` change them. See
  [decisions/settings.md](decisions/settings.md).
- **Several nodes** on one store must agree on all sections but ` + "`store`, `server`, `log`, `import` and `metrics`" + ` and the paths of files. Each node logs a
  fingerprint of those settings at start, and ` + "`tidings config check`" + ` prints it: equal fingerprints, equal settings.
`

func TestDocsMatchComments(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "configuration.md")
	want := docsIntro + writeSections(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/configuration.md differs from the comments (%v); run go test ./internal/config -run Docs -update", err)
	}
}

// fieldDocs finds the comment of each field: "Site.Title" → comment.
func fieldDocs(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"config.go", "feeds_digests.go", "brand.go", "mail.go", "relay.go", "admin.go", "metrics.go", "server.go", "backup.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if body, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range body.Fields.List {
					if field.Tag != nil {
						out[spec.Name.Name+"."+field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
					}
				}
			}
			return false
		})
	}
	return out
}

func writeSections(t *testing.T) string {
	var out bytes.Buffer
	docs := fieldDocs(t)
	defaults := reflect.ValueOf(docDefaults())
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		if key := field.Tag.Get("yaml"); key != "" {
			fmt.Fprintf(&out, "\n## `%s`\n\n%s\n", key, docs["Config."+field.Name])
			writeTable(t, &out, docs, "", defaults.Field(i))
		}
	}
	return out.String()
}

// docDefaults has one of everything, so that its defaults can be shown.
func docDefaults() Config {
	c := empty()
	c.Site.Title, c.Site.URL, c.Site.Timezone, c.Site.Language = "Tidings", "http://localhost:8080", "UTC", "en"
	c.Import.Sources = []Source{{}}
	c.Feeds = []Feed{{Podcast: &Podcast{Persons: []Person{{}}}}}
	c.Feeds[0].preset()
	c.Digests = []Digest{{Sections: []DigestSection{{}}}}
	c.Brand = Brand{Logo: &Picture{}, Header: &Picture{}, Links: []Link{{}}, Person: Signer{Portrait: &Picture{}, Signature: &Picture{}}}
	c.Relays = []Relay{{}}
	c.Relays[0].preset()
	c.Mail.DKIM = []DKIM{{}}
	c.Bounces.Mailbox, c.Mail.TestMailbox = &Mailbox{}, &TestMailbox{}
	c.Backup.S3 = &BackupS3{}
	c.Bounces.Webhooks = []Webhook{{}}
	site := c.Site
	c.Site = Site{}
	fillDefaults(c)
	c.Site = site
	return *c
}

func writeTable(t *testing.T, out *bytes.Buffer, docs map[string]string, prefix string, v reflect.Value) {
	v, ok := one(v)
	if !ok {
		return
	}
	fmt.Fprint(out, "\n| key | meaning | default |\n|---|---|---|\n")
	writeRows(t, out, docs, prefix, v)
}

func writeRows(t *testing.T, out *bytes.Buffer, docs map[string]string, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key, doc := field.Tag.Get("yaml"), docs[v.Type().Name()+"."+field.Name]
		if doc == "" {
			t.Errorf("%s.%s has no comment", v.Type().Name(), field.Name)
		}
		fmt.Fprintf(out, "| `%s%s` | %s | %s |\n", prefix, key, strings.NewReplacer("<", "&lt;", "|", "\\|").Replace(doc), shownDefault(v.Field(i)))
		if below, ok := one(v.Field(i)); ok {
			suffix := "."
			if v.Field(i).Kind() == reflect.Slice {
				suffix = "[]."
			}
			writeRows(t, out, docs, prefix+key+suffix, below)
		}
	}
}

// one gives the struct that a field holds, or the first one of its list.
func one(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		return v.Elem(), !v.IsNil()
	case reflect.Slice:
		if v.Len() == 0 || v.Index(0).Kind() != reflect.Struct {
			return v, false
		}
		return v.Index(0), true
	}
	return v, v.Kind() == reflect.Struct
}

func shownDefault(v reflect.Value) string {
	if v.IsZero() || v.Kind() == reflect.Struct || v.Kind() == reflect.Slice || v.Kind() == reflect.Pointer {
		return ""
	}
	switch value := v.Interface().(type) {
	case time.Duration:
		return "`" + shortDuration(value) + "`"
	default:
		return fmt.Sprintf("`%v`", value)
	}
}
