package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
)

// withStore returns options with an open SQLite store in a folder.
func withStore(t *testing.T, folder string) *Options {
	t.Helper()
	c := config.Default()
	c.Store.DSN = config.DSN("sqlite:" + filepath.Join(folder, "tidings.db"))
	s, err := store.Open(context.Background(), c.Store.DSN.Reveal(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c.Store.Journal = "none"
	return &Options{Config: c, Store: s}
}

func TestMistakesOfTheConfigurationAreFindings(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte("site:\n  titel: News\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path)
	o := &Options{ConfigError: err}
	want(t, o, "config", Error, "config.yaml:2")
	for _, name := range []string{"store", "timezone", "disk", "relay", "mx", "dkim", "site", "one-click", "certificate"} {
		want(t, o, name, Error, "not checked, because the configuration cannot be used")
	}
	want(t, &Options{ConfigError: os.ErrNotExist}, "config", Error, "cannot be read")
	want(t, &Options{Config: config.Default()}, "config", Warning, "site.url")
}

func TestStoreChecks(t *testing.T) {
	t.Parallel()
	o := withStore(t, t.TempDir())
	want(t, o, "store", OK, "is intact")
	want(t, o, "clock", OK, "differ by")
	want(t, o, "disk", OK, "are free")
	o.Config.Store.Journal = filepath.Join(t.TempDir(), "later", "journal") // it is created with the first record
	want(t, o, "store", OK, "is intact")
	want(t, o, "disk", OK, "journal")
	o.Config.Health.DiskFree = 1 << 60
	want(t, o, "disk", Warning, "are free")
	o.Store = nil
	o.StoreError = errors.New("no such host")
	want(t, o, "store", Error, "cannot be opened: no such host")
	want(t, o, "clock", Error, "not checked, because the store cannot be opened")
	want(t, o, "one-click", Error, "address of this machine only")
}

func TestStoreInMemoryIsWarnedOf(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the kinds of file systems are known on Linux only")
	}
	folder, err := os.MkdirTemp("/dev/shm", "tidings")
	if err != nil {
		t.Skipf("no memory file system at /dev/shm: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	want(t, withStore(t, folder), "store", Warning, "on tmpfs")
}

func TestClocksThatDifferAreFindings(t *testing.T) {
	t.Parallel()
	for ahead, severity := range map[time.Duration]Severity{2 * time.Second: Warning, time.Minute: Error} {
		c := config.Default()
		s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "tidings.db"), store.Options{Clock: func() time.Time { return time.Now().Add(ahead) }})
		if err != nil {
			t.Fatal(err)
		}
		want(t, &Options{Config: c, Store: s}, "clock", severity, "differ by")
		_ = s.Close()
	}
}

func TestTimezonesAndDescriptors(t *testing.T) {
	t.Parallel()
	o := &Options{Config: config.Default()}
	want(t, o, "timezone", OK, o.Config.Site.Timezone)
	o.Config.Site.Timezone = "Europe/Atlantis"
	want(t, o, "timezone", Error, "Europe/Atlantis is not known")
	for limit, severity := range map[int64]Severity{100: Error, 512: Warning, 4096: OK} {
		if f := filesFinding(limit); f.Severity != severity {
			t.Errorf("limit %d: %s, want %s", limit, f.Severity, severity)
		}
	}
}

func TestReportHasTheWorstSeverity(t *testing.T) {
	t.Parallel()
	r := Run(context.Background(), Options{Config: config.Default()}, "config", "descriptors")
	if r.Complete || r.Severity != Warning || len(r.Checks) != 2 || len(r.Problems()) == 0 {
		t.Errorf("the report is %+v", r)
	}
	if err := CheckNames([]string{"dkim", "dmark"}); err == nil {
		t.Error("an unknown check is accepted")
	}
}
