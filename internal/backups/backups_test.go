package backups

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestLastBackupOfEachPeriodIsKept(t *testing.T) {
	t.Parallel()
	var names []string
	start := time.Date(2026, 1, 1, 3, 30, 0, 0, time.UTC)
	for day := range 365 {
		at := start.AddDate(0, 0, day)
		names = append(names, fileName(at, false), fileName(at.Add(time.Hour), true))
	}
	other := []string{"tidings-2026-01-01.tidings", "notes.txt", "tidings-20260101T033000Z.tidings.partial", ".tidings-20260101T033000Z.tidings"}
	removed := expired(append(slices.Clone(names), other...), config.BackupKeep{Daily: 7, Weekly: 4, Monthly: 12})
	kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(removed, name) })
	// Of the last seven days, the last four weeks (Sundays, and the last day) and all months.
	want := []string{"0131", "0228", "0331", "0430", "0531", "0630", "0731", "0831", "0930", "1031", "1130", "1213", "1220", "1225", "1226", "1227", "1228", "1229", "1230", "1231"}
	if len(kept) != len(want) {
		t.Errorf("kept %d: %v", len(kept), kept)
	}
	for i, day := range want[:min(len(want), len(kept))] {
		if kept[i] != "tidings-2026"+day+"T043000Z.tidings.age" {
			t.Errorf("kept %s, want the later one of %s", kept[i], day)
		}
	}
	for _, name := range other {
		if slices.Contains(removed, name) {
			t.Errorf("%s is not a backup on schedule", name)
		}
	}
	if removed := expired(names, config.BackupKeep{}); len(removed) != len(names)-1 || slices.Contains(removed, names[len(names)-1]) {
		t.Error("without any rule, more or less than the newest backup is kept")
	}
}

// site is a store with a schedule of backups at 03:30.
type site struct {
	t      *testing.T
	config *config.Config
	now    atomic.Int64
}

func newSite(t *testing.T, engine store.Engine) *site {
	c := config.Default()
	c.Store.DSN = config.DSN(storetest.DSN(t, engine))
	c.Backup.Schedule, c.Backup.Folder = "30 3 * * *", t.TempDir()
	s := &site{t: t, config: c}
	s.set("2026-03-01T03:29:00Z")
	return s
}

func (s *site) set(at string) {
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		s.t.Fatal(err)
	}
	s.now.Store(when.UnixMilli())
}

// node returns a runner with its own connection to the store.
func (s *site) node() *Runner {
	s.t.Helper()
	opened := storetest.Reopen(s.t, s.config.Store.DSN.Reveal(), store.Options{Clock: func() time.Time { return time.UnixMilli(s.now.Load()) }})
	r, err := New(opened, s.config, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// files returns the names in the folder.
func (s *site) files() []string {
	s.t.Helper()
	names, err := folder{s.config.Backup.Folder}.list(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return names
}

func (s *site) latest(r *Runner) store.ScheduledBackup {
	s.t.Helper()
	found, err := r.store.ScheduledBackups(s.t.Context(), 1)
	if err != nil || len(found) != 1 {
		s.t.Fatalf("%+v, %v", found, err)
	}
	return found[0]
}

func TestOneNodeMakesTheBackupOfATick(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, engine)
			nodes := []*Runner{s.node(), s.node()}
			run := func() {
				var work sync.WaitGroup
				for _, r := range nodes {
					work.Go(func() {
						if err := r.RunDue(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
				work.Wait()
			}
			run()
			if files := s.files(); len(files) != 0 {
				t.Fatalf("before the tick: %v", files)
			}
			s.set("2026-03-01T03:30:05Z")
			run()
			run()
			files := s.files()
			if len(files) != 1 || files[0] != "tidings-20260301T033005Z.tidings" {
				t.Fatalf("after the tick: %v", files)
			}
			if b := s.latest(nodes[0]); b.State != store.BackupDone || b.Name != files[0] || b.Error != "" || b.Tries != 1 || b.Bytes == 0 {
				t.Errorf("recorded %+v", b)
			}
			if _, err := archive.Check(filepath.Join(s.config.Backup.Folder, files[0])); err != nil {
				t.Error(err)
			}
			s.set("2026-03-09T12:00:00Z") // no node ran for a week
			run()
			if files := s.files(); len(files) != 2 {
				t.Errorf("after a pause: %v", files)
			}
		})
	}
}

func TestFailedBackupIsRecordedAndTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Keep = config.BackupKeep{}
	r := s.node()
	s.set("2026-03-01T03:30:05Z")
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	folder := s.config.Backup.Folder
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	s.set("2026-03-02T03:30:05Z")
	if err := r.RunDue(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without its folder: %v", err)
	}
	if b := s.latest(r); b.State != store.BackupFailed || !strings.Contains(b.Error, "no such file") {
		t.Errorf("recorded %+v", b)
	}
	if err := r.RunDue(t.Context()); err != nil { // the next try is not due
		t.Errorf("at once: %v", err)
	}
	if err := os.Rename(folder+"-away", folder); err != nil {
		t.Fatal(err)
	}
	if files := s.files(); len(files) != 1 {
		t.Fatalf("the last good backup: %v", files)
	}
	s.set("2026-03-02T03:46:00Z")
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := s.latest(r); b.State != store.BackupDone || b.Tries != 2 || b.Error != "" {
		t.Errorf("recorded %+v", b)
	}
	if files := s.files(); len(files) != 1 || files[0] != "tidings-20260302T034600Z.tidings" {
		t.Errorf("kept %v", files)
	}
}

func TestBackupOfAStoppedNodeIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	stopped, other := s.node(), s.node()
	s.set("2026-03-01T03:30:05Z")
	tick := time.Date(2026, 3, 1, 3, 30, 0, 0, time.UTC)
	if claimed, err := stopped.store.ClaimBackup(t.Context(), tick, stopped.holder, lease); !claimed || err != nil {
		t.Fatal(claimed, err)
	}
	if err := other.RunDue(t.Context()); err != nil || len(s.files()) != 0 {
		t.Fatalf("while the other node has it: %v, %v", s.files(), err)
	}
	s.set("2026-03-01T03:33:00Z")
	if err := other.RunDue(t.Context()); err != nil || len(s.files()) != 1 {
		t.Fatalf("after its lease: %v, %v", s.files(), err)
	}
	if renewed, err := stopped.store.RenewBackup(t.Context(), tick, stopped.holder, lease); renewed || err != nil {
		t.Errorf("the stopped node renewed its lease: %v, %v", renewed, err)
	}
}

// bucketServers start a server of buckets and return its address.
var bucketServers = map[string]func(t *testing.T) string{
	"gofakes3": func(t *testing.T) string {
		server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
		t.Cleanup(server.Close)
		return server.URL
	},
	"versitygw": func(t *testing.T) string { return testkit.StartS3(t, "key", "secret") },
}

func TestBackupsInABucket(t *testing.T) {
	t.Parallel()
	for name, start := range bucketServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBackupsInABucket(t, start(t), name != "gofakes3")
		})
	}
}

func testBackupsInABucket(t *testing.T, endpoint string, restore bool) {
	s := newSite(t, store.SQLite)
	private, public, err := archive.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s.config.Backup = config.Backup{
		Schedule: s.config.Backup.Schedule, Recipients: []string{public}, Keep: config.BackupKeep{Daily: 1},
		S3: &config.BackupS3{Endpoint: endpoint, Bucket: "backups", Prefix: "press/", Region: "us-east-1", AccessKey: "key", SecretKey: "secret"},
	}
	r := s.node()
	s.set("2026-03-01T03:30:05Z")
	if err := r.RunDue(t.Context()); err == nil || !strings.Contains(err.Error(), "bucket backups at "+endpoint) {
		t.Fatalf("without the bucket: %v", err)
	}
	to := r.targets[0].(*bucket)
	if err := to.client.MakeBucket(t.Context(), "backups", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"press/notes.txt", "other/tidings-20260101T033000Z.tidings.age"} { // of others
		if _, err := to.client.PutObject(t.Context(), "backups", name, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []string{"2026-03-01T03:46:00Z", "2026-03-02T03:30:05Z"} {
		s.set(at)
		if err := r.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	names, err := to.list(t.Context())
	slices.Sort(names)
	if want := []string{"notes.txt", "tidings-20260302T033005Z.tidings.age"}; err != nil || !slices.Equal(names, want) {
		t.Fatalf("in the bucket: %v, %v", names, err)
	}
	checkObject(t, to, names[1], private, restore)
	if _, err := to.client.StatObject(t.Context(), "backups", "other/tidings-20260101T033000Z.tidings.age", minio.StatObjectOptions{}); err != nil {
		t.Errorf("an object with another prefix: %v", err)
	}
}

// newRealBucket returns an empty bucket of a server that checks signatures and takes parts with their MD5, as
// gofakes3 does not.
func newRealBucket(t *testing.T) *bucket {
	t.Helper()
	to, err := newBucket(config.BackupS3{Endpoint: testkit.StartS3(t, "key", "secret"), Bucket: "backups", Region: "us-east-1", AccessKey: "key", SecretKey: "secret"})
	if err == nil {
		err = to.client.MakeBucket(t.Context(), "backups", minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestWrongKeyOfABucketIsNamed(t *testing.T) {
	t.Parallel()
	settings := newRealBucket(t).BackupS3
	settings.SecretKey = "secrets"
	to, err := newBucket(settings)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tidings-20260302T033005Z.tidings")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := to.put(t.Context(), file); err == nil || !strings.HasSuffix(err.Error(), "; check backup.s3.access_key and backup.s3.secret_key") {
		t.Errorf("with a wrong key: %v", err)
	}
}

func TestReadOnlyFolderNamesTheUnit(t *testing.T) {
	t.Parallel()
	err := explainReadOnly("/backups", &os.PathError{Op: "open", Path: "/backups/x", Err: syscall.EROFS})
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "ReadWritePaths=/backups") {
		t.Error(err)
	}
	if err := explainReadOnly("/backups", os.ErrPermission); err != os.ErrPermission {
		t.Error(err)
	}
}

// TestBackupIsUploadedInParts uploads a file in parts of the smallest size that S3 allows, 5 MiB.
func TestBackupIsUploadedInParts(t *testing.T) {
	t.Parallel()
	to := newRealBucket(t)
	to.partSize = 5 << 20
	want := bytes.Repeat([]byte("tidings\n"), (6<<20)/8)
	file := filepath.Join(t.TempDir(), "tidings-20260302T033005Z.tidings")
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := to.put(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	object, err := to.client.GetObject(t.Context(), "backups", filepath.Base(file), minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want the %d that were uploaded", len(got), err, len(want))
	}
	// The ETag of an object that was uploaded in parts ends with their number.
	if info, err := object.Stat(); err != nil || !strings.HasSuffix(info.ETag, "-2") {
		t.Errorf("ETag %s, %v", info.ETag, err)
	}
}

// checkObject downloads a backup, verifies it with its key, and restores it.
func checkObject(t *testing.T, from *bucket, name, private string, restore bool) {
	t.Helper()
	path, key := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "key.txt")
	if err := from.client.FGetObject(context.WithoutCancel(t.Context()), from.Bucket, from.Prefix+name, path, minio.GetObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(private), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := archive.LoadIdentities(key)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := archive.Check(path, keys...)
	if err == nil && restore {
		_, err = store.TryRestore(t.Context(), "sqlite:", path, store.RestoreOptions{Keys: keys})
	}
	if err != nil || !summary.Encrypted {
		t.Errorf("%+v, %v", summary, err)
	}
}
