package backups

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

func TestRunnerOfAWrongConfigurationIsNotMade(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, store.SQLite, store.Options{})
	for name, test := range map[string]struct {
		change func(*config.Backup)
		want   string
	}{
		"without a place":        {func(b *config.Backup) { b.Folder = "" }, "set one of them"},
		"with a wrong schedule":  {func(b *config.Backup) { b.Schedule = "every day" }, "every day"},
		"with a wrong recipient": {func(b *config.Backup) { b.Recipients = []string{"age1nothing"} }, "age1nothing"},
		"with a path of a server": {func(b *config.Backup) {
			b.S3 = &config.BackupS3{Endpoint: "https://s3.example/storage/v1", Bucket: "b"}
		}, "has a path"},
		"with a wrong server": {func(b *config.Backup) { b.S3 = &config.BackupS3{Endpoint: "https://s3.example:x/", Bucket: "b"} }, "s3.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config.Default()
			c.Backup.Schedule, c.Backup.Folder = "30 3 * * *", t.TempDir()
			test.change(&c.Backup)
			if r, err := New(s, c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v; want an error with %q", r, err, test.want)
			}
		})
	}
	c := config.Default()
	c.Backup.S3 = &config.BackupS3{Endpoint: "https://s3.example/", Bucket: "b"}
	if _, err := New(s, c, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("a slash at the end of the endpoint: %v", err)
	}
}

// touch makes empty files in a folder.
func touch(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBackupDatedInTheFutureDoesNotReplaceTheNewOne: it is from a time when the clock was wrong.
func TestBackupDatedInTheFutureDoesNotReplaceTheNewOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Keep = config.BackupKeep{Daily: 1}
	future := []string{"tidings-20990101T000000Z.tidings", "tidings-20990102T000000Z.tidings.age"}
	touch(t, s.config.Backup.Folder, append(future, "tidings-20260227T033000Z.tidings")...)
	r := s.node()
	s.set("2026-03-01T03:30:05Z")
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := append([]string{"tidings-20260301T033005Z.tidings"}, future...); !slices.Equal(s.files(), want) {
		t.Errorf("kept %v, want %v", s.files(), want)
	}
}

func TestFoldersAndLinksOfTheFolderAreLeftAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Keep = config.BackupKeep{}
	target := t.TempDir()
	touch(t, target, "kept")
	folder := s.config.Backup.Folder
	if err := os.Symlink(filepath.Join(target, "kept"), filepath.Join(folder, "tidings-20200101T000000Z.tidings")); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "tidings-20200102T000000Z.tidings"), 0o700); err != nil {
		t.Fatal(err)
	}
	touch(t, folder, "tidings-20200103T000000Z.tidings", "notes.txt")
	r := s.node()
	s.set("2026-03-01T03:30:05Z")
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"notes.txt", "tidings-20200101T000000Z.tidings", "tidings-20200102T000000Z.tidings", "tidings-20260301T033005Z.tidings"}
	if !slices.Equal(names, want) {
		t.Errorf("the folder has %v, want %v", names, want)
	}
}

// TestNothingExpiresWhereTheBackupIsNotListed: the place may be another one than it was.
func TestNothingExpiresWhereTheBackupIsNotListed(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Keep = config.BackupKeep{}
	r := s.node()
	other := t.TempDir()
	touch(t, other, "tidings-20200101T000000Z.tidings", "tidings-20200102T000000Z.tidings")
	r.targets = append(r.targets, folder{other})
	s.set("2026-03-01T03:30:05Z")
	err := r.RunDue(t.Context())
	if err == nil || !strings.Contains(err.Error(), "tidings-20260301T033005Z.tidings was stored, but is not listed; no backup is removed") {
		t.Errorf("%v", err)
	}
	if names, err := (folder{other}).list(t.Context()); err != nil || len(names) != 2 {
		t.Errorf("in the other folder: %v, %v", names, err)
	}
	if b := s.latest(r); b.State != store.BackupFailed || b.Name == "" {
		t.Errorf("recorded %+v", b)
	}
}

// TestRetriesForOnePlaceDoNotFillTheOther: each retry stores its file where that succeeds.
func TestRetriesForOnePlaceDoNotFillTheOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Keep = config.BackupKeep{Daily: 2}
	touch(t, s.config.Backup.Folder, "tidings-20260228T033000Z.tidings")
	r := s.node()
	r.targets = append(r.targets, folder{t.TempDir()}) // does not list the backup
	for _, at := range []string{"2026-03-01T03:30:05Z", "2026-03-01T03:46:00Z", "2026-03-01T04:02:00Z"} {
		s.set(at)
		if err := r.RunDue(t.Context()); err == nil {
			t.Fatalf("at %s the backup did not fail", at)
		}
	}
	if want := []string{"tidings-20260228T033000Z.tidings", "tidings-20260301T040200Z.tidings"}; !slices.Equal(s.files(), want) {
		t.Errorf("the folder has %v, want %v", s.files(), want)
	}
}

func TestBackupNowIsRecordedLikeTheOthers(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, engine)
			s.config.Backup.Schedule = ""
			r := s.node()
			s.set("2026-03-01T12:00:00Z")
			b, err := r.Now(t.Context())
			if err != nil || b.Name != "tidings-20260301T120000Z.tidings" || b.Bytes == 0 {
				t.Fatalf("%+v, %v", b, err)
			}
			info, err := os.Stat(filepath.Join(s.config.Backup.Folder, b.Name))
			if err != nil || info.Size() != b.Bytes || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v; want %d bytes that only the owner reads", info, err, b.Bytes)
			}
			if got := s.latest(r); got.State != store.BackupDone || got.Name != b.Name || got.Bytes != b.Bytes || !got.Finished.Equal(r.store.Now()) {
				t.Errorf("recorded %+v", got)
			}
		})
	}
}

func TestBackupOfAnEndedProcessIsRecordedAsFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	r := s.node()
	s.set("2026-03-01T03:30:05Z")
	ctx, cancel := context.WithCancel(t.Context())
	r.targets = append([]target{ending{cancel}}, r.targets...)
	if err := r.RunDue(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if b := s.latest(r); b.State != store.BackupFailed || !strings.Contains(b.Error, "context canceled") {
		t.Errorf("recorded %+v", b)
	}
	s.set("2026-03-01T03:46:00Z")
	if err := s.node().RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := s.latest(r); b.State != store.BackupDone || b.Tries != 2 {
		t.Errorf("another node does not try again: %+v", b)
	}
}

// ending is a target at which the process is told to end.
type ending struct{ end context.CancelFunc }

func (e ending) put(ctx context.Context, _ string) error {
	e.end()
	<-ctx.Done()
	return ctx.Err()
}
func (ending) list(context.Context) ([]string, error) { return nil, nil }
func (ending) remove(context.Context, string) error   { return nil }

func TestRunWithoutAScheduleReturns(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	s.config.Backup.Schedule = ""
	s.node().Run(t.Context())
	if files := s.files(); len(files) != 0 {
		t.Errorf("made %v", files)
	}
}

func TestRunMakesWhatIsDueAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	r := s.node()
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	r.log = slog.New(slog.NewTextHandler(io.MultiWriter(&log, writer(func(line []byte) {
		if strings.Contains(string(line), "backup made") {
			cancel()
		}
	})), nil))
	s.set("2026-03-01T03:30:05Z")
	r.Run(ctx)
	if files := s.files(); len(files) != 1 || !strings.Contains(log.String(), files[0]) || strings.Contains(log.String(), "ERROR") {
		t.Errorf("made %v; log:\n%s", files, log.String())
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

// TestBackupOfABucketLeavesOtherObjectsAlone has objects outside of the prefix and below it.
func TestBackupOfABucketLeavesOtherObjectsAlone(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	s := newSite(t, store.SQLite)
	s.config.Backup.Folder, s.config.Backup.Keep = "", config.BackupKeep{}
	s.config.Backup.S3 = &config.BackupS3{Endpoint: server.URL, Bucket: "backups", Prefix: "press", Region: "us-east-1", AccessKey: "key", SecretKey: "secret"}
	r := s.node()
	to := r.targets[0].(*bucket)
	if err := to.client.MakeBucket(t.Context(), "backups", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	const old = "tidings-20200101T000000Z.tidings"
	others := []string{old, "other/" + old, "press/" + old, "presstidings.txt"}
	for _, key := range append(others, "press"+old) {
		if _, err := to.client.PutObject(t.Context(), "backups", key, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.set("2026-03-01T03:30:05Z")
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for object := range to.client.ListObjects(t.Context(), "backups", minio.ListObjectsOptions{Recursive: true}) {
		keys = append(keys, object.Key)
	}
	slices.Sort(keys)
	want := append(others, "presstidings-20260301T033005Z.tidings")
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		t.Errorf("the bucket has %v, want %v", keys, want)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "tidings-backup-*", "tidings-20260301T033005Z*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

func TestErrorsOfABucketNameIt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	to, err := newBucket(config.BackupS3{Endpoint: server.URL, Bucket: "missing", Region: "us-east-1", AccessKey: "key", SecretKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tidings-20260301T033005Z.tidings")
	touch(t, filepath.Dir(file), filepath.Base(file))
	_, listed := to.list(t.Context())
	for what, err := range map[string]error{"put": to.put(t.Context(), file), "list": listed, "remove": to.remove(t.Context(), "x")} {
		if err == nil || !strings.HasPrefix(err.Error(), "bucket missing at "+server.URL+": ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := to.put(t.Context(), file+".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if names, err := to.list(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context, the list is %v, %v", names, err)
	}
}

func TestTickOfALongPauseIsTheLastOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, store.SQLite)
	first := s.node()
	s.set("2026-03-01T03:30:05Z")
	if err := first.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.set("2026-05-20T03:29:59Z")
	for range 3 {
		if err := s.node().RunDue(t.Context()); err != nil { // nodes that have just started
			t.Fatal(err)
		}
	}
	b := s.latest(first)
	if want := time.Date(2026, 5, 19, 3, 30, 0, 0, time.UTC); !b.Tick.Equal(want) || b.Tries != 1 {
		t.Errorf("the backup of %v, try %d; want %v", b.Tick, b.Tries, want)
	}
	if files := s.files(); len(files) != 2 {
		t.Errorf("made %v", files)
	}
}
