package templates

import "testing"

func TestBuiltInTemplatesLoad(t *testing.T) {
	t.Parallel()
	if errEnglish != nil {
		t.Fatal(errEnglish)
	}
	set, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := set.Mail("digest")
	out, err := m.Render(Sample(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(out.HTML), "\n", out.HTML, out.Text)
}
