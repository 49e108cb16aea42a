package app

import (
	"context"
	"net/http"

	"github.com/tidings-press/tidings/templates"
)

// currentTemplates waits until the templates are those in their folder, as far as they have no error.
// Without Development it does nothing.
func (n *Node) currentTemplates(ctx context.Context, r *http.Request) {
	if !n.Development {
		return
	}
	done := make(chan struct{})
	select {
	case n.requests <- done:
	case <-r.Context().Done():
		return
	case <-ctx.Done():
		return
	}
	<-done
}

// reloadTemplates replaces the instance if files of the templates have changed since the last call. If
// one has an error, the current instance stays, and the admin shows the error until it is corrected.
func (n *Node) reloadTemplates(ctx context.Context, current *instance) *instance {
	files := templates.FilesHash(current.config.Templates)
	if files == n.templateFiles {
		return current
	}
	n.templateFiles = files
	next, err := n.startWith(ctx, current.config, current.revision)
	if err != nil {
		n.Service.Log.Error("the templates have errors; the old ones stay in use", "error", err)
		problem := err.Error()
		n.templatesProblem.Store(&problem)
		return current
	}
	n.templatesProblem.Store(nil)
	n.Service.Log.Info("templates reloaded")
	current.stop()
	return next
}

// problemOfTemplates returns the error for which the current templates are older than their files, or
// an empty string.
func (n *Node) problemOfTemplates() string {
	if problem := n.templatesProblem.Load(); problem != nil {
		return *problem
	}
	return ""
}
