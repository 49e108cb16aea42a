package public

import (
	"net/http"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/templates"
)

// Subscribers request erasure and export of their data on the preferences page. Both need a link
// that is mailed to the subscriber then: the preferences page itself can be opened from an old or
// forwarded mail, so anyone who has such a mail can only cause that mail.

// askForOwnData sends the mail with the link to erasure or export.
func (p *Pages) askForOwnData(w http.ResponseWriter, r *http.Request, sub subscriber.Subscriber, purpose token.Purpose) error {
	if !p.ownData.Allow(sub.UID) {
		w.Header().Set("Retry-After", "3600")
		return p.tooMany(r)
	}
	if err := p.mailOwnDataLink(r, sub, purpose); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: p.layout(r.Context()).Say("Check your inbox"), NoIndex: true, Narrow: true, Body: &refusal{
		Text: p.layout(r.Context()).Say("We have sent you an email. Please open the link in it, which works for two hours. The link in an older email is not enough for this, because emails may be forwarded."),
	}})
}

func (p *Pages) mailOwnDataLink(r *http.Request, sub subscriber.Subscriber, purpose token.Purpose) error {
	tmpl, err := p.templates.Mail("notice")
	if err != nil {
		return err
	}
	language := p.languageFor(sub)
	phrases := catalogue().In(language)
	expires := p.store.Now().Add(token.OwnDataFor)
	n := templates.Notice{
		Page: p.templates.Page(digest.SiteOf(p.config).In(language), language), Name: sub.Name, Address: sub.Address.String(),
		Link: p.config.Site.URL + ownDataPath[purpose] + p.shortLivedKeys.SignUntil(purpose, sub.UID, "", expires), Expires: expires.In(p.zone),
	}
	asked, heading, button := phrases.Say("Someone, hopefully you, asked for a copy of everything that we store about this address. The link leads to a page where you can download it."),
		phrases.Say("Your data"), phrases.Say("Get my data")
	if purpose == token.Erase {
		asked, heading, button = phrases.Say("Someone, hopefully you, asked us to delete everything that we store about this address. The link leads to a page with a button; nothing is deleted before you press it."),
			phrases.Say("Delete your data"), phrases.Say("Delete my data")
	}
	n.Heading, n.Button = heading+" – "+n.Site.Title, button
	n.Lines = []string{asked, phrases.Say("The link works for two hours. If it was not you, ignore this email.")}
	out, err := tmpl.Render(n)
	if err != nil {
		return err
	}
	return p.sender.SendToSubscriber(r.Context(), sub, "", out)
}

// ownDataPath are the paths of the links.
var ownDataPath = map[token.Purpose]string{token.Erase: "/erase/", token.Export: "/export/"}

// ownDataHolder checks a link for erasure or export. Links from before a restore of the store do
// not work.
func (p *Pages) ownDataHolder(r *http.Request, purpose token.Purpose) (linkOwner, error) {
	claim, err := p.shortLivedKeys.Verify(r.PathValue("token"))
	if err == nil {
		err = claim.Check(purpose, p.store.Now())
	}
	return p.linkOwnerOf(r, claim, err)
}

// erasePage shows the button that erases. GET changes nothing, since mail scanners open every
// link.
func (p *Pages) erasePage(w http.ResponseWriter, r *http.Request) error {
	h, err := p.ownDataHolder(r, token.Erase)
	if err != nil {
		return err
	}
	body := buttonPage{
		Text:    p.layout(r.Context()).Say("Your address, name and choices will be deleted permanently. We keep only a code that cannot be turned back into your address, so that we never write to you again."),
		Address: h.Address.Masked(), Action: r.URL.Path, Button: p.layout(r.Context()).Say("Delete my data"),
		Link: p.preferencesLink(h.UID), Label: p.layout(r.Context()).Say("No, go back"), Danger: true,
	}
	return p.show(w, r, http.StatusOK, "button", page{Title: p.layout(r.Context()).Say("Delete your data"), NoIndex: true, Narrow: true, Body: body})
}

func (p *Pages) erase(w http.ResponseWriter, r *http.Request) error {
	h, err := p.ownDataHolder(r, token.Erase)
	if err != nil {
		return err
	}
	if err := p.store.Erase(r.Context(), h.ID); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "message", page{Title: p.layout(r.Context()).Say("Your data has been deleted"), NoIndex: true, Narrow: true, Body: &refusal{Text: p.layout(r.Context()).Say("This address was deleted. No emails will be sent to it.")}})
}

func (p *Pages) exportPage(w http.ResponseWriter, r *http.Request) error {
	h, err := p.ownDataHolder(r, token.Export)
	if err != nil {
		return err
	}
	body := buttonPage{
		Text:    p.layout(r.Context()).Say("Press the button to download everything that we store about you, as a JSON file."),
		Address: h.Address.Masked(), Action: r.URL.Path, Button: p.layout(r.Context()).Say("Get my data"),
		Link: p.preferencesLink(h.UID), Label: p.layout(r.Context()).Say("No, go back"),
	}
	return p.show(w, r, http.StatusOK, "button", page{Title: p.layout(r.Context()).Say("Your data"), NoIndex: true, Narrow: true, Body: body})
}

// export sends a person all data that is stored about them.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	h, err := p.ownDataHolder(r, token.Export)
	if err != nil {
		return err
	}
	kept, err := p.store.PersonalData(r.Context(), h.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="my-data.json"`)
	return kept.WriteJSON(w)
}
