package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// route is a line of the authorisation table.
type route struct {
	pattern string
	role    store.Role // least role of the editor; noSession if none is needed
	handle  editorFunc
}

// changes reports whether requests of the route may change something.
func (r route) changes() bool {
	return !strings.HasPrefix(r.pattern, http.MethodGet+" ") && r.pattern != "/admin/"
}

// noSession marks the routes that need no session. Their handlers get an empty one.
const noSession store.Role = ""

// routes returns the authorisation table: all routes of the admin, with the role that each needs.
// TestRoutesAreOpenToTheirRolesOnly has a second list, which must agree with it.
func (h *Handler) routes() []route {
	const (
		viewer = store.ViewerRole
		writer = store.WriterRole
		editor = store.EditorRole
		owner  = store.OwnerRole
	)
	return []route{
		{"GET /admin/sign-in", noSession, withoutSession(h.signInPage)},
		{"POST /admin/sign-in", noSession, withoutSession(h.signIn)},
		{"POST /admin/sign-in/code", noSession, withoutSession(h.signInCode)},
		{"POST /admin/sign-in/passkey", noSession, withoutSession(h.passkeySignIn)},
		{"POST /admin/sign-in/options", noSession, withoutSession(h.passkeyOptions)},
		{"POST /admin/sign-in/provider", noSession, withoutSession(h.beginProvider)},
		{"GET /admin/sign-in/provider", noSession, withoutSession(h.finishProvider)},
		{"GET /admin/forgotten", noSession, withoutSession(h.forgottenPage)},
		{"POST /admin/forgotten", noSession, withoutSession(h.forgotten)},
		{"GET /admin/welcome/{token}", noSession, withoutSession(h.welcomePage)},
		{"POST /admin/welcome/{token}", noSession, withoutSession(h.welcome)},
		{"POST /admin/welcome/{token}/strength", noSession, withoutSession(h.welcomeStrength)},
		{"GET /admin/address/{token}", noSession, withoutSession(h.newAddressPage)},
		{"POST /admin/address/{token}", noSession, withoutSession(h.confirmAddress)},
		{"POST /admin/sign-out", viewer, h.signOut},

		// The link of a proof names an editor, whose role is checked when it is read.
		{"GET /admin/proofs/{token}", noSession, withoutSession(h.draftByLink)},
		{"GET /admin/proofs/{token}/mail", noSession, withoutSession(h.mailByLink)},
		{"POST /admin/proofs/{token}/{action}", noSession, withoutSession(h.decideByLink)},

		{"GET /admin/{$}", viewer, h.dashboard},
		{"POST /admin/checklist/dismiss", editor, h.dismissChecklist},
		{"GET /admin/calendar", viewer, h.calendar},

		{"GET /admin/digests", viewer, h.digests},
		{"GET /admin/digests/{name}", viewer, h.digest},
		{"GET /admin/digests/{name}/mail", viewer, h.digestMail},
		{"GET /admin/digests/{name}/text", viewer, h.digestText},
		{"POST /admin/digests/{name}/test", editor, h.testDigest},
		{"POST /admin/digests/{name}/seen", editor, h.markSeen},
		{"POST /admin/digests/{name}/unseen", editor, h.markUnseen},
		{"POST /admin/digests/{name}/begin", editor, h.setFirstDay},
		{"GET /admin/digests/{name}/send", editor, h.sendPage},
		{"POST /admin/digests/{name}/send", editor, h.send},
		{"POST /admin/digests/{name}/draft", editor, h.createDraft},
		{"GET /admin/digests/{name}/settings", editor, h.digestSettings},
		{"POST /admin/digests/{name}/settings", editor, h.changeDigest},
		{"GET /admin/digests/new", editor, h.newDigest},
		{"POST /admin/digests/new", editor, h.addDigest},

		{"GET /admin/editions/{id}", viewer, h.edition},
		{"GET /admin/editions/{id}/events", viewer, h.editionEvents},
		{"GET /admin/editions/{id}/mail", viewer, h.editionMail},
		{"GET /admin/editions/{id}/preview", viewer, h.editionPreview},
		{"GET /admin/editions/{id}/frame", viewer, h.editionFrame},
		{"GET /admin/digests/{name}/preview", viewer, h.digestPreview},
		{"GET /admin/digests/{name}/frame", viewer, h.digestFrame},
		{"GET /admin/editions/{id}/deliveries", editor, h.deliveries},
		{"POST /admin/editions/{id}/deliveries.csv", editor, h.proven(h.exportDeliveries)},
		{"GET /admin/editions/{id}/deliveries/{subscriber}", editor, h.delivery},
		{"POST /admin/editions/{id}/deliveries/{action}", editor, h.changeDeliveries},
		{"POST /admin/editions/{id}/test", editor, h.testEdition},
		{"POST /admin/editions/{id}/subject", writer, h.changeSubject},
		{"POST /admin/editions/{id}/approve", editor, h.approve},
		{"GET /admin/editions/{id}/compose", writer, h.composePage},
		{"POST /admin/editions/{id}/compose", writer, h.compose},
		{"POST /admin/editions/{id}/check", writer, h.checkEdition},
		{"POST /admin/editions/{id}/waive", editor, h.waiveFinding},
		{"POST /admin/editions/{id}/add", writer, h.addOffered},
		{"POST /admin/editions/{id}/{action}", editor, h.controlEdition},

		{"GET /admin/messages", viewer, h.messages},
		{"GET /admin/messages/new", writer, h.newMessagePage},
		{"POST /admin/messages/new", writer, h.writeMessage},
		{"GET /admin/messages/{id}", writer, h.editMessagePage},
		{"POST /admin/messages/{id}", writer, h.writeMessage},

		{"GET /admin/articles", viewer, h.articles},
		{"GET /admin/articles/new", writer, h.newArticlePage},
		{"GET /admin/articles/{id}", viewer, h.articlePage},
		{"POST /admin/articles/{id}", writer, h.saveArticle},
		{"POST /admin/articles/{id}/autosave", writer, h.autosaveArticle},
		{"POST /admin/articles/{id}/publish", writer, h.publishArticle},
		{"POST /admin/articles/{id}/unpublish", writer, h.unpublishArticle},
		{"POST /admin/articles/{id}/preview", writer, h.previewArticle},
		{"GET /admin/articles/{id}/preview", viewer, h.storedPreview},
		{"GET /admin/articles/{id}/where", viewer, h.articleWhere},
		{"POST /admin/articles/{id}/images", writer, h.uploadImage},
		{"GET /admin/articles/{id}/history", writer, h.articleHistory},
		{"POST /admin/articles/{id}/history", writer, h.restoreRevision},
		{"POST /admin/articles/{id}/remove", writer, h.removeArticle},
		{"POST /admin/articles/{id}/restore", writer, h.restoreArticle},

		{"GET /admin/subscribers", editor, h.subscribers},
		{"GET /admin/subscribers/new", editor, h.newSubscriberPage},
		{"POST /admin/subscribers/new", editor, h.addSubscriber},
		{"GET /admin/subscribers/figures", editor, h.subscriberFigures},
		{"GET /admin/subscribers/import", editor, h.importPage},
		{"POST /admin/subscribers/import", editor, h.uploadList},
		{"GET /admin/imports/{id}", editor, h.list},
		{"POST /admin/imports/{id}", editor, h.checkList},
		{"GET /admin/imports/{id}/events", editor, h.listEvents},
		{"GET /admin/imports/{id}/refused.csv", editor, h.refusedLines},
		{"POST /admin/imports/{id}/start", editor, h.startList},
		{"POST /admin/imports/{id}/remove", editor, h.removeList},
		{"POST /admin/subscribers/export", editor, h.proven(h.exportSubscribers)},
		{"GET /admin/subscribers/{id}", editor, h.subscriber},
		{"POST /admin/subscribers/{id}/unsubscribe", editor, h.unsubscribe},
		{"POST /admin/subscribers/{id}/invite", editor, h.inviteAgain},
		{"POST /admin/subscribers/{id}/lift", editor, h.lift},
		{"POST /admin/subscribers/{id}/edit", editor, h.editSubscriber},
		{"POST /admin/subscribers/{id}/reinstate", editor, h.reinstate},
		{"POST /admin/subscribers/{id}/suppress", editor, h.suppress},
		{"POST /admin/subscribers/{id}/export", editor, h.exportSubscriber},
		{"POST /admin/subscribers/{id}/erase", owner, h.proven(h.erase)},

		// An editor's own account.
		{"GET /admin/account", viewer, h.account},
		{"POST /admin/account/password", viewer, h.changePassword},
		{"POST /admin/account/password/strength", viewer, h.accountStrength},
		{"POST /admin/account/address", viewer, h.changeAddress},
		{"POST /admin/account/language", viewer, h.changeLanguage},
		{"POST /admin/account/sessions", viewer, h.proven(h.signOutOthers)},
		{"POST /admin/account/sessions/{id}", viewer, h.proven(h.endSession)},
		{factorPath, viewer, h.factorPage},
		{"POST /admin/account/factor/use", viewer, h.useFactor},
		{"POST /admin/account/factor", viewer, h.proven(h.startSecondFactor)},
		{"POST /admin/account/factor/confirm", viewer, h.confirmSecondFactor},
		{"POST /admin/account/factor/codes", viewer, h.proven(h.renewRecoveryCodes)},
		{"POST /admin/account/factor/remove", viewer, h.proven(h.removeSecondFactor)},
		{"POST /admin/account/passkeys/new", viewer, h.proven(h.newPasskey)},
		{"POST /admin/account/passkeys", viewer, h.addPasskey},
		{"POST /admin/account/passkeys/{id}/rename", viewer, h.renamePasskey},
		{"POST /admin/account/passkeys/{id}/remove", viewer, h.proven(h.removePasskey)},
		{"POST /admin/account/provider", viewer, h.beginProof},
		{"POST /admin/account/identities/{id}/remove", viewer, h.proven(h.removeIdentity)},

		// The accounts of others.
		{"GET /admin/people", owner, h.people},
		{"POST /admin/account/invite", owner, h.proven(h.invite)},
		{"POST /admin/links/{id}/revoke", owner, h.revokeLink},
		{"POST /admin/editors/{id}/reset", owner, h.proven(h.resetPasswordOf)},
		{"POST /admin/editors/{id}/sign-in-methods", owner, h.proven(h.resetSignInOf)},
		{"POST /admin/editors/{id}/access", owner, h.proven(h.toggleAccess)},
		{"POST /admin/editors/{id}/role", owner, h.proven(h.changeRole)},

		{"GET /admin/feeds", viewer, h.feeds},
		{"POST /admin/feeds", editor, h.addFeed},
		{"GET /admin/feeds/{name}", viewer, h.feed},
		{"POST /admin/feeds/{name}", editor, h.changeFeed},

		{"GET /admin/settings", owner, h.siteSettings},
		{"POST /admin/settings", owner, h.changeSite},
		{"GET /admin/settings/appearance", owner, h.appearanceSettings},
		{"POST /admin/settings/appearance", owner, h.changeAppearance},
		{"GET /admin/settings/appearance/mail", owner, h.appearanceMail},
		{"GET /admin/settings/relays", owner, h.relays},
		{"POST /admin/settings/relays/{name}/test", owner, h.testRelay},
		{"POST /admin/settings/relays/{name}/stop", owner, h.stopRelay},
		{"POST /admin/settings/relays/{name}/resume", owner, h.resumeRelay},
		{"GET /admin/settings/doctor", owner, h.doctorPage},
		{"GET /admin/settings/doctor/events", owner, h.doctorEvents},
		{"POST /admin/settings/doctor/run", owner, h.runDoctor},
		{"POST /admin/settings/doctor/accept", owner, h.acceptFirstSend},
		{"GET /admin/audit", owner, h.auditLog},

		{"GET /admin/quarantine", owner, h.quarantine},
		{"POST /admin/quarantine/editions/{id}", owner, h.decideQuarantined},
		{"POST /admin/quarantine/release", owner, h.proven(h.releaseQuarantine)},

		{"/admin/", viewer, h.notFound},
	}
}

// serveMux returns the handler of all routes.
func (h *Handler) serveMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, one := range h.routes() {
		mux.Handle(one.pattern, h.authorized(one))
	}
	return mux
}

// withoutSession returns the handler of a route that needs no session.
func withoutSession(f anonymousFunc) editorFunc {
	return func(w http.ResponseWriter, r *http.Request, _ store.Session) error { return f(w, r) }
}

// authorized runs the handler of a route for editors whose role permits it. A visitor without a
// session is redirected to the sign-in page, which leads back to the requested page.
func (h *Handler) authorized(one route) http.Handler {
	if one.role == noSession {
		return h.anonymous(func(w http.ResponseWriter, r *http.Request) error {
			return h.audited(one, w, r, store.Session{})
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := h.session(r)
		switch {
		case errors.Is(err, store.ErrNotFound):
			http.Redirect(w, r, signInPath(r), http.StatusSeeOther)
			return
		case err != nil:
			h.showError(w, r, nil, err)
			return
		}
		h.setLanguageOf(w, session.Editor)
		h.prolong(w, r, session)
		r = r.WithContext(store.WithActor(r.Context(), session.Editor.Email))
		if !session.Editor.Role.Includes(one.role) {
			err = &roleError{have: session.Editor.Role, need: one.role}
		} else if err = h.checkFactor(one, r, session); err == nil {
			err = h.audited(one, w, r, session)
		}
		if errors.Is(err, errFactorNeeded) && r.Method == http.MethodGet {
			http.Redirect(w, r, "/admin/account/factor?next="+url.QueryEscape(r.URL.Path), http.StatusSeeOther)
			return
		}
		if err != nil {
			h.showError(w, r, &session.Editor, err)
		}
	})
}

// roleError refuses a request that the role of the editor does not permit.
type roleError struct{ have, need store.Role }

// Error implements error.
func (e *roleError) Error() string {
	return fmt.Sprintf("the role %s does not permit this; it needs the role %s", e.have, e.need)
}

// refusedByRole is the title of the page of a roleError.
var refusedByRole = words.T("Your role does not permit this")

// Page returns the error as it is shown.
func (e *roleError) Page() *userError {
	text := words.T("This version of the program does not know your role. Nothing was changed. An owner of this site can give you another role.")
	switch e.need {
	case store.WriterRole:
		text = words.T("Writers, editors and owners can do this. Nothing was changed. An owner of this site can give you another role.")
	case store.EditorRole:
		text = words.T("Editors and owners can do this. Nothing was changed. An owner of this site can give you another role.")
	case store.OwnerRole:
		text = words.T("Only owners can do this. Nothing was changed.")
	}
	return &userError{http.StatusForbidden, refusedByRole, text, "/admin/", dashboardLabel}
}

// can is the function of page templates that reports whether an editor may use a route, so that
// pages show no button or link that would be refused. A pattern that is not in the table is an error.
func (h *Handler) can(editor *store.Editor, pattern string) (bool, error) {
	role, ok := h.roles[pattern]
	if !ok {
		return false, fmt.Errorf("no route has the pattern %q", pattern)
	}
	return role == noSession || editor != nil && editor.Role.Includes(role), nil
}
