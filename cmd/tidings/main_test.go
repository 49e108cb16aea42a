package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tidings": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the stories in testdata/script: each is a shell-like file that
// calls the real command in a folder of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scripts(store.SQLite))
}

// TestScriptsOnPostgres tells those that are about the store on PostgreSQL as well.
func TestScriptsOnPostgres(t *testing.T) {
	t.Parallel()
	params := scripts(store.Postgres)
	params.Dir = ""
	for _, story := range []string{"article", "digest", "serve", "subscriber"} {
		params.Files = append(params.Files, filepath.Join("testdata", "script", story+".txtar"))
	}
	testscript.Run(t, params)
}

func scripts(engine store.Engine) testscript.Params {
	return testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setupScript(env, engine) },
		Condition:           condition,
		Cmds:                scriptCommands,
	}
}
