package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

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
	m, warning, err := h.storeUpload(h.auditing(r.Context(), session.Editor, "image.upload", "image", "", ""), r, session.Editor, "file")
	var problem *ingest.Problem
	switch {
	case errors.As(err, &problem):
		return writeJSON(w, http.StatusUnprocessableEntity, uploadedImage{Problem: problem.Error()})
	case errors.Is(err, http.ErrMissingFile):
		return writeJSON(w, http.StatusUnprocessableEntity, uploadedImage{Problem: "no file was uploaded; choose an image"})
	case err != nil:
		return err
	}
	h.log.InfoContext(r.Context(), "image uploaded", "name", m.Name, "editor", session.Editor.ID)
	return writeJSON(w, http.StatusOK, uploadedImage{Path: "/media/" + m.Name, Width: m.Width, Height: m.Height, Warning: warning})
}

// storeUploads stores the images in the file fields of a form that is posted without a script: one for
// the text, which is added at its end, and the lead image.
func (h *Handler) storeUploads(r *http.Request, by store.Editor, f *articleForm) error {
	m, _, err := h.storeUpload(r.Context(), r, by, "file")
	switch {
	case err == nil:
		f.Text = strings.TrimRight(f.Text, "\n") + fmt.Sprintf("\n\n![%s](/media/%s)\n", article.CleanLine(strings.Trim(r.PostFormValue("file_alt"), "[]")), m.Name)
	case !errors.Is(err, http.ErrMissingFile):
		return err
	}
	m, _, err = h.storeUpload(r.Context(), r, by, "image_file")
	if errors.Is(err, http.ErrMissingFile) {
		return nil
	}
	if err == nil {
		f.Image = "/media/" + m.Name
	}
	return err
}

// Each editor may upload uploadsAtOnce images of up to a megabyte, larger ones counting as several, and
// another one per uploadInterval, so that no account fills the disk.
const (
	uploadsAtOnce  = 1000
	uploadInterval = time.Minute
)

// takeUpload counts an upload against the limit of an editor. The error says when the next one is allowed.
func (h *Handler) takeUpload(ctx context.Context, by store.Editor, size int) error {
	limit := store.AttemptLimit{Key: "upload of editor " + editorID(by), Burst: uploadsAtOnce, Every: uploadInterval}
	wait, err := h.store.TakeAttempt(store.WithoutAudit(ctx), slices.Repeat([]store.AttemptLimit{limit}, 1+size>>20)...)
	if err == nil && wait > 0 {
		err = &ingest.Problem{What: "you have uploaded very many images", Fix: "try again in " + max(wait, time.Minute).Round(time.Minute).String()}
	}
	return err
}

// storeUpload stores the image in a file field. http.ErrMissingFile reports an empty field.
func (h *Handler) storeUpload(ctx context.Context, r *http.Request, by store.Editor, field string) (m article.Medium, warning string, err error) {
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
	if err == nil {
		err = h.takeUpload(ctx, by, len(data))
	}
	if err != nil {
		return m, "", err
	}
	m, warnings, err := h.writing.Upload(ctx, path.Base(strings.ReplaceAll(header.Filename, `\`, "/")), data)
	for _, p := range warnings {
		warning += p.What + " "
	}
	return m, strings.TrimSpace(warning), err
}

// readUpload reads at most one byte more than an image may have: the store then refuses it.
func readUpload(file multipart.File) ([]byte, error) {
	return io.ReadAll(io.LimitReader(file, ingest.MaxMedium+1))
}
