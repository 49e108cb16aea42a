package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// lever is something that an editor can do with an edition.
type lever struct {
	pull func(ctx context.Context, room *Room, edition, by string) error
	done string // key of what is said afterwards
}

// leverOf has the levers by their names in addresses. Reasons that are kept name the
// editor.
var leverOf = map[string]lever{
	"pause": {func(ctx context.Context, room *Room, edition, by string) error {
		return room.engine.Pause(ctx, edition, "paused by "+by)
	}, "paused"},
	"resume": {func(ctx context.Context, room *Room, edition, _ string) error {
		return room.engine.Resume(ctx, edition)
	}, "resumed"},
	"cancel": {func(ctx context.Context, room *Room, edition, by string) error {
		return room.engine.Cancel(ctx, edition, "cancelled by "+by)
	}, "canceled"},
	"resend": {func(ctx context.Context, room *Room, edition, _ string) error {
		_, err := room.engine.Decide(ctx, edition, true)
		return err
	}, "resent"},
	"drop": {func(ctx context.Context, room *Room, edition, _ string) error {
		_, err := room.engine.Decide(ctx, edition, false)
		return err
	}, "dropped"},
}

// act does what an editor asks of an edition.
func (room *Room) act(w http.ResponseWriter, r *http.Request, who store.Session) error {
	id, action := r.PathValue("id"), r.PathValue("action")
	lever, ok := leverOf[action]
	if !ok {
		return store.ErrNotFound
	}
	if err := lever.pull(patient(w, r), room, id, who.Editor.Email); err != nil {
		return err
	}
	room.log.Info("edition changed by hand", "edition", id, "change", action, "editor", who.Editor.ID)
	return back(w, r, "/room/editions/"+id, lever.done)
}

// testEdition sends an edition as it is to one address.
func (room *Room) testEdition(w http.ResponseWriter, r *http.Request, who store.Session) error {
	id := r.PathValue("id")
	return room.sendTest(w, r, who, "/room/editions/"+id, func(to subscriber.Address) error {
		return room.engine.TestEdition(r.Context(), id, to)
	})
}

// changeSubject gives a draft another subject.
func (room *Room) changeSubject(w http.ResponseWriter, r *http.Request, who store.Session) error {
	here := "/room/editions/" + r.PathValue("id")
	subject := strings.Join(strings.Fields(article.CleanText(short(r.PostFormValue("subject"), 500))), " ")
	if subject == "" {
		return &refusal{http.StatusUnprocessableEntity, "The subject stays as it is", "A mail without a subject is taken for spam. Right would be a short line.", here, "Go back"}
	}
	if err := room.store.SetEditionSubject(r.Context(), r.PathValue("id"), subject); err != nil {
		return refuse("The subject stays as it is", err, here)
	}
	room.log.Info("subject changed by hand", "edition", r.PathValue("id"), "editor", who.Editor.ID)
	return back(w, r, here, "subject")
}
