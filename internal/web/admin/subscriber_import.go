package admin

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// subscriberImportPage is the data of the page on which a list is uploaded.
type subscriberImportPage struct {
	MaxMB   int
	Lists   []listedUpload
	Problem error
}

// listedUpload is an uploaded list in the list of earlier ones.
type listedUpload struct{ store.UploadedList }

// Badge returns the class of the badge with the list's state.
func (l listedUpload) Badge() string {
	switch l.State {
	case store.UploadImported:
		return "good"
	case store.UploadFailed:
		return "bad"
	case store.UploadRemoved:
		return ""
	}
	return "info"
}

// earlierLists is how many earlier lists the page shows.
const earlierLists = 20

func (h *Handler) importPage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	return h.showImport(w, r, session, http.StatusOK, nil)
}

func (h *Handler) showImport(w http.ResponseWriter, r *http.Request, session store.Session, status int, problem error) error {
	lists, err := h.store.Uploads(r.Context(), earlierLists)
	if err != nil {
		return err
	}
	body := subscriberImportPage{MaxMB: store.MaxUploadBytes >> 20, Problem: problem}
	for _, list := range lists {
		body.Lists = append(body.Lists, listedUpload{list})
	}
	return h.show(w, status, "subscriber_import", page{Title: "Import a list", Nav: "subscribers", Editor: &session.Editor, Flash: flash(r), Body: body})
}

// uploadList stores the file that an editor uploads.
func (h *Handler) uploadList(w http.ResponseWriter, r *http.Request, session store.Session) error {
	file, err := uploadedFile(r)
	if errors.Is(err, http.ErrMissingFile) {
		unchanged(r)
		return h.showImport(w, r, session, http.StatusUnprocessableEntity, store.InvalidInput(words.T("Choose a file.")))
	}
	if err != nil {
		return err
	}
	list, err := h.manager().Upload(longRequest(w, r), fileName(file), session.Editor.Email, file)
	if correctable(err) {
		unchanged(r)
		return h.showImport(w, r, session, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	h.log.InfoContext(r.Context(), "list uploaded", "list", list.ID, "bytes", list.Bytes, "editor", session.Editor.ID)
	h.audit(r, session.Editor, "subscriber.upload", "list", list.ID, fmt.Sprintf("%d bytes", list.Bytes))
	http.Redirect(w, r, listPath(list.ID), http.StatusSeeOther)
	return nil
}

// uploadedFile returns the file in the form of a request, which is read from the connection. It
// returns http.ErrMissingFile if there is none.
func uploadedFile(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		return nil, http.ErrMissingFile
	}
	if err != nil {
		return nil, err
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, http.ErrMissingFile
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return part, nil
		}
	}
}

// maxFileName bounds the name of an uploaded file, in bytes.
const maxFileName = 120

// fileName returns the name of an uploaded file without its folder.
func fileName(file *multipart.Part) string {
	name := path.Base(strings.ReplaceAll(file.FileName(), `\`, "/"))
	return truncate(article.CleanLine(name), maxFileName)
}

// listPath returns the address of the page of an uploaded list.
func listPath(id string) string { return "/admin/imports/" + id }
