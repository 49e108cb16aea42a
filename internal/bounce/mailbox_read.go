package bounce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// MailboxReader reads the mails of a mailbox and changes nothing in it: no mail is deleted or marked as
// seen. The protocol may also be maildir, with the path of a Maildir as the folder. A reader must not be
// used by several goroutines at once.
type MailboxReader struct {
	box   Mailbox
	shown map[string]bool // mails that an earlier pass showed
}

// NewMailboxReader returns a reader of a mailbox. It does not connect yet.
func NewMailboxReader(box Mailbox) *MailboxReader {
	return &MailboxReader{box: box.withDefaults(), shown: map[string]bool{}}
}

// readMails is how many of the newest mails a pass reads.
const readMails = 200

// Pass shows the mails that no earlier pass showed, the newest first, until visit returns true. It reads
// the newest 200 mails, with IMAP those of the last two days, and the first megabyte of each.
func (r *MailboxReader) Pass(ctx context.Context, visit func(mail []byte) bool) error {
	switch r.box.Protocol {
	case "maildir":
		return r.readMaildir(visit)
	case "imap":
		return r.box.dial(ctx, func(_ context.Context, conn net.Conn, _ *limitedConn) error { return r.readIMAP(conn, visit) })
	case "pop3":
		return r.box.dial(ctx, func(_ context.Context, conn net.Conn, _ *limitedConn) error { return r.readPOP3(conn, visit) })
	}
	return fmt.Errorf("bounce: unknown mailbox protocol %q; use imap, pop3 or maildir", r.box.Protocol)
}

// show calls visit with a mail unless an earlier pass showed it. It reports whether the pass is over.
func (r *MailboxReader) show(id string, read func() ([]byte, error), visit func([]byte) bool) (bool, error) {
	if r.shown[id] {
		return false, nil
	}
	mail, err := read()
	if err != nil {
		return true, err
	}
	r.shown[id] = true
	return mail != nil && visit(mail), nil
}

func (r *MailboxReader) readIMAP(conn net.Conn, visit func([]byte) bool) error {
	client, err := openIMAP(conn, r.box)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if _, err := client.Select(r.box.Folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return err
	}
	// SINCE compares days in the server's timezone.
	found, err := client.UIDSearch(&imap.SearchCriteria{Since: time.Now().AddDate(0, 0, -2)}, nil).Wait()
	if err != nil {
		return err
	}
	uids := found.AllUIDs()
	slices.Reverse(uids)
	for _, uid := range uids[:min(len(uids), readMails)] {
		done, err := r.show(fmt.Sprint(uid), func() ([]byte, error) { return fetchIMAP(client, uid) }, visit)
		if refusedByIMAP(err) {
			continue
		}
		if done || err != nil {
			return errors.Join(err, client.Logout().Wait())
		}
	}
	return client.Logout().Wait()
}

// fetchIMAP returns the first mailMax octets of a mail without marking it as seen; nil if it is gone.
func fetchIMAP(client *imapclient.Client, uid imap.UID) ([]byte, error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: mailMax}}
	fetched, err := client.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil || len(fetched) == 0 {
		return nil, err
	}
	mail := []byte{} // of an empty mail too
	for _, part := range fetched[0].BodySection {
		mail = append(mail, part.Bytes...)
	}
	return mail, nil
}

func (r *MailboxReader) readPOP3(conn net.Conn, visit func([]byte) bool) error {
	session, err := openPOP3(conn, r.box)
	if err != nil {
		return err
	}
	mails, err := session.list()
	if err != nil {
		return err
	}
	slices.Reverse(mails) // the server numbers them in the order of their arrival
	for _, mail := range mails[:min(len(mails), readMails)] {
		read := func() (data []byte, err error) {
			_, err = session.processMail(mail.number, func(body io.Reader) (bool, error) {
				var readErr error
				data, readErr = io.ReadAll(io.LimitReader(body, mailMax))
				return false, readErr
			})
			return data, err
		}
		done, err := r.show(mail.unique, read, visit)
		if errors.Is(err, errRefused) {
			continue
		}
		if done || err != nil {
			return errors.Join(err, session.quit())
		}
	}
	return session.quit()
}

// readMaildir reads the folders new and cur. A Maildir that does not exist is empty: the first mail creates
// it.
func (r *MailboxReader) readMaildir(visit func([]byte) bool) error {
	type file struct {
		path string
		time time.Time
	}
	var files []file
	for _, part := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(r.box.Folder, part))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err == nil && info.Mode().IsRegular() {
				files = append(files, file{filepath.Join(r.box.Folder, part, entry.Name()), info.ModTime()})
			}
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return b.time.Compare(a.time) })
	for _, f := range files[:min(len(files), readMails)] {
		done, err := r.show(f.path, func() ([]byte, error) { return readStart(f.path) }, visit)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// readStart returns the first mailMax octets of a file; nil if it is gone, because a mail program moved it.
func readStart(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, mailMax))
}
