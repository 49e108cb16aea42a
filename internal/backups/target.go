package backups

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/tidings-press/tidings/internal/archive"
	"github.com/tidings-press/tidings/internal/config"
)

// target is where backups are kept: a folder or a bucket.
type target interface {
	// put stores a file under its name. It is there whole or not at all.
	put(ctx context.Context, path string) error
	list(ctx context.Context) (names []string, err error)
	remove(ctx context.Context, name string) error
}

// folder is a folder on a disk. The runner makes the file in it.
type folder struct{ path string }

func (f folder) put(_ context.Context, path string) error {
	return archive.SyncFolder(filepath.Dir(path))
}

func (f folder) list(context.Context) (names []string, err error) {
	entries, err := os.ReadDir(f.path)
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (f folder) remove(_ context.Context, name string) error {
	return os.Remove(filepath.Join(f.path, name))
}

// explainReadOnly adds to an error that the folder is on a read-only file system how to fix it: the unit of the package
// lets the service write to its own folders only, while a command in a shell may write to this one.
func explainReadOnly(folder string, err error) error {
	if errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w; if systemd runs the service, run systemctl edit tidings, add ReadWritePaths=%s below [Service], and restart it", err, folder)
	}
	return err
}

// bucket is a bucket of an S3-compatible store.
type bucket struct {
	client   *minio.Client
	partSize uint64 // bytes of the parts in which larger files are uploaded
	config.BackupS3
}

func newBucket(c config.BackupS3) (*bucket, error) {
	address, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, err
	}
	if strings.Trim(address.Path, "/") != "" { // the client would leave it out
		return nil, fmt.Errorf("backup.s3.endpoint %s has a path; write only the host of the server, and a folder of the bucket as backup.s3.prefix", c.Endpoint)
	}
	client, err := minio.New(address.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(c.AccessKey.Reveal(), c.SecretKey.Reveal(), ""),
		Secure: address.Scheme == "https", Region: c.Region, BucketLookup: minio.BucketLookupAuto, MaxRetries: 5,
	})
	return &bucket{client, partSize, c}, err
}

// partSize is the size of the parts of an upload. A bucket takes 10,000 of them.
const partSize = 64 << 20

// put uploads a file. The parts of an upload become an object in one step at its end, and each is
// sent with its MD5, which the server checks.
func (b *bucket) put(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	key := b.Prefix + filepath.Base(path)
	_, err = b.client.FPutObject(ctx, b.Bucket, key, path, minio.PutObjectOptions{
		ContentType: "application/octet-stream", SendContentMd5: true, PartSize: b.partSize, NumThreads: 2,
	})
	if err != nil {
		return b.wrap(err)
	}
	stored, err := b.client.StatObject(ctx, b.Bucket, key, minio.StatObjectOptions{})
	if err == nil && stored.Size != info.Size() {
		err = fmt.Errorf("%s has %d bytes there, and %d here", key, stored.Size, info.Size())
	}
	return b.wrap(err)
}

func (b *bucket) list(ctx context.Context) (names []string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for object := range b.client.ListObjects(ctx, b.Bucket, minio.ListObjectsOptions{Prefix: b.Prefix}) {
		if object.Err != nil {
			return nil, b.wrap(object.Err)
		}
		names = append(names, strings.TrimPrefix(object.Key, b.Prefix))
	}
	return names, b.wrap(ctx.Err())
}

func (b *bucket) remove(ctx context.Context, name string) error {
	return b.wrap(b.client.RemoveObject(ctx, b.Bucket, b.Prefix+name, minio.RemoveObjectOptions{}))
}

// wrap adds the bucket to an error, and how to fix it if the server does not know the key.
func (b *bucket) wrap(err error) error {
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case "SignatureDoesNotMatch", "InvalidAccessKeyId":
		err = fmt.Errorf("%w; check backup.s3.access_key and backup.s3.secret_key", err)
	}
	return fmt.Errorf("bucket %s at %s: %w", b.Bucket, b.Endpoint, err)
}
