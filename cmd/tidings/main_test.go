package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
)

// binaries is the folder with the command that the scripts call.
var binaries string

// TestMain builds the real command once. It is built without the race detector even when the tests
// have it: the scripts start some hundred processes, and the code that runs in them has race tests
// of its own. Short tests do not use the command.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	os.Exit(withBinary(m.Run))
}

func withBinary(run func() int) int {
	dir, err := os.MkdirTemp("", "tidings-scripts-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "tidings"), ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	binaries = dir
	return run()
}

// TestScripts runs the scripts in testdata/script. Each is a shell-like file that calls the real
// command in its own folder.
func TestScripts(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	testscript.Run(t, scripts(store.SQLite))
}

// TestScriptsOnPostgres also runs the scripts about the store on PostgreSQL.
func TestScriptsOnPostgres(t *testing.T) {
	testkit.Slow(t)
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
