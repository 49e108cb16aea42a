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
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/store"
)

// uploadedImage is the answer to an upload by the page's script.
type uploadedImage struct {
	Path    string `json:"path,omitempty"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Warning string `json:"warning,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// uploadImage stores an image that the page's script uploads, and answers with JSON.
func (h *Handler) uploadImage(w http.ResponseWriter, r *http.Request, session store.Session) error {
	m, warning, err := h.storeUpload(r, "file")
	var problem *ingest.Problem
	switch {
	case errors.As(err, &problem):
		return writeJSON(w, http.StatusUnprocessableEntity, uploadedImage{Problem: problem.Error()})
	case errors.Is(err, http.ErrMissingFile):
		return writeJSON(w, http.StatusUnprocessableEntity, uploadedImage{Problem: "no file was uploaded; choose an image"})
	case err != nil:
		return err
	}
	h.audit(r, session.Editor, "image.upload", "image", m.Name, "")
	h.log.Info("image uploaded", "name", m.Name, "editor", session.Editor.ID)
	return writeJSON(w, http.StatusOK, uploadedImage{Path: "/media/" + m.Name, Width: m.Width, Height: m.Height, Warning: warning})
}

// storeUploads stores the images in the file fields of a form that is posted without a script: one for
// the text, which is added at its end, and the lead image.
func (h *Handler) storeUploads(r *http.Request, f *articleForm) error {
	m, _, err := h.storeUpload(r, "file")
	switch {
	case err == nil:
		f.Text = strings.TrimRight(f.Text, "\n") + fmt.Sprintf("\n\n![%s](/media/%s)\n", article.CleanLine(strings.Trim(r.PostFormValue("file_alt"), "[]")), m.Name)
	case !errors.Is(err, http.ErrMissingFile):
		return err
	}
	m, _, err = h.storeUpload(r, "image_file")
	if errors.Is(err, http.ErrMissingFile) {
		return nil
	}
	if err == nil {
		f.Image = "/media/" + m.Name
	}
	return err
}

// storeUpload stores the image in a file field. http.ErrMissingFile reports an empty field.
func (h *Handler) storeUpload(r *http.Request, field string) (m article.Medium, warning string, err error) {
	file, header, err := r.FormFile(field)
	if errors.Is(err, http.ErrNotMultipart) {
		err = http.ErrMissingFile
	}
	if err != nil {
		return m, "", err
	}
	defer file.Close()
	if header.Size == 0 && header.Filename == "" {
		return m, "", http.ErrMissingFile
	}
	data, err := readUpload(file)
	if err != nil {
		return m, "", err
	}
	m, warnings, err := h.writing.Upload(r.Context(), path.Base(strings.ReplaceAll(header.Filename, `\`, "/")), data)
	for _, p := range warnings {
		warning += p.What + " "
	}
	return m, strings.TrimSpace(warning), err
}

// readUpload reads at most one byte more than an image may have: the store then refuses it.
func readUpload(file multipart.File) ([]byte, error) {
	return io.ReadAll(io.LimitReader(file, ingest.MaxMedium+1))
}
