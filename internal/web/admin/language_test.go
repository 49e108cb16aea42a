package admin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/testkit"
)

func TestLanguageOfEditorWinsOverThatOfTheBrowser(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	e := s.owner()
	in := func(path, accept string) (string, *http.Response) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", accept)
		response, err := e.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body), response
	}
	page, response := in("/admin/nothing", "de-AT, en;q=0.5")
	if !strings.Contains(page, `<html lang="de">`) || !strings.Contains(page, "Seite nicht gefunden") || response.Header.Get("Content-Language") != "de" {
		t.Errorf("the browser’s language is not used: %s", page)
	}
	e.want(e.get("/admin/account"), `<html lang="en">`, `<option value="fr" lang="fr">français</option>`)
	e.want(e.post("/admin/account/language", "language", "fr"), `<html lang="fr">`, "La langue a été modifiée.", `<option value="fr" lang="fr" selected>`)
	if page, _ := in("/admin/nothing", "de"); !strings.Contains(page, "Page introuvable") {
		t.Errorf("the editor’s language is not used: %s", page)
	}
	if e.post("/admin/account/language", "language", "xx"); e.code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown language is answered %d", e.code)
	}
	e.want(e.post("/admin/account/language", "language", ""), `<html lang="en">`)
}

func TestReasonsFindingsAndMailsAreInTheLanguageOfTheEditor(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	s := startSite(t)
	s.addSubscribers(1)
	e := s.owner()
	e.post("/admin/account/language", "language", "fr")
	e.want(e.get("/admin/digests"), "le 1 du mois en janvier à 08:00 (UTC)")
	e.want(e.get("/admin/digests/weekly/settings"), "Le 1 du mois en janvier à 08:00 (UTC).")
	draft, err := s.newEngine().Draft(t.Context(), "weekly", delivery.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	here := "/admin/editions/" + draft.ID
	e.post(here+"/subject", "subject", "Hello {{name}}")
	e.want(e.get(here), "l’objet contient « {{ » : « Hello {{name}} »", "Corrigez le modèle, l’objet ou le texte écrit par la rédaction.")
	e.want(e.get("/admin/articles/"+draft.Articles[0]+"/where"), `<a href="`+here+`">Dans le numéro 1 du `, `<span class="skip">Déjà dans un numéro :</span> il est dans le brouillon du numéro 1 du `, "qui attend l’approbation", "la newsletter prend tous les articles")
	e.want(e.get("/admin/digests/weekly"), "Rien de nouveau : tous les articles qui conviennent figurent dans un brouillon qui attend l’approbation.")
	e.want(e.post(here+"/cancel"), "Annulé par "+adaEmail+".")
	e.want(e.get("/admin/digests/weekly"), "Derniers numéros", `<a href="`+here+`"`)
	s.visitor().post("/admin/forgotten", "email", adaEmail)
	s.mailTo(adaEmail, "Choisir un nouveau mot de passe")
}
