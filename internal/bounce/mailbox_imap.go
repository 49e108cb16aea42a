package bounce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// pollIMAP returns a function that reads the unseen mails of a folder by IMAP (RFC 9051). Mails that
// are kept are marked as seen. The folder should be used for reports only: at the end of a poll all
// mails in it that are flagged as deleted are removed.
func pollIMAP(box Mailbox) pollFunc {
	return func(p poll) error {
		client, err := openIMAP(p.conn, box)
		if err != nil {
			return err
		}
		defer func() { _ = client.Close() }()
		uids, err := unseen(client, box.Folder)
		if err != nil {
			return err
		}
		var failed error
		for _, uid := range uids {
			if p.full() {
				break
			}
			err := imapMail(client, uid, p.process)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("mail %d: %w", uid, err))
			}
			if err != nil && !refusedByIMAP(err) {
				break
			}
		}
		return errors.Join(failed, expunge(client), client.Logout().Wait())
	}
}

// refusedByIMAP reports whether the server answered a command with NO. The session goes on, and the mails
// behind the one that it cannot read may be reports.
func refusedByIMAP(err error) bool {
	var answer *imap.Error
	return errors.As(err, &answer) && answer.Type == imap.StatusResponseTypeNo
}

func openIMAP(conn net.Conn, box Mailbox) (*imapclient.Client, error) {
	options := &imapclient.Options{TLSConfig: box.Config}
	client := (*imapclient.Client)(nil)
	if box.TLS == "starttls" {
		var err error
		if client, err = imapclient.NewStartTLS(conn, options); err != nil {
			return nil, err
		}
	} else {
		client = imapclient.New(conn, options)
	}
	if err := client.Login(box.Username, box.Password).Wait(); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

func unseen(client *imapclient.Client, folder string) ([]imap.UID, error) {
	if _, err := client.Select(folder, nil).Wait(); err != nil {
		return nil, err
	}
	found, err := client.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen, imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return nil, err
	}
	return found.AllUIDs(), nil
}

// imapMail reads at most mailMax octets of a mail, processes it, and flags it as seen or deleted.
func imapMail(client *imapclient.Client, uid imap.UID, process func(io.Reader) (bool, error)) error {
	data, err := fetchIMAP(client, uid)
	if err != nil {
		return err
	}
	if data == nil {
		return nil // another client has removed it
	}
	remove, err := process(bytes.NewReader(data))
	if err != nil {
		return err
	}
	flag := imap.FlagSeen
	if remove {
		flag = imap.FlagDeleted
	}
	return client.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
}

func expunge(client *imapclient.Client) error { return client.Expunge().Close() }
