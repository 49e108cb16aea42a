package feed

import "testing"

func TestWebURLIsNormalized(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"https://x.example/a?b=c#d": "https://x.example/a?b=c#d", "HTTPS://X.Example/A": "https://x.example/A", "//cdn.example/x": "https://cdn.example/x",
		"/media/x": "https://h.example/press/media/x", "y": "https://h.example/press/articles/y", "../up": "https://h.example/press/up", "#f": testBase.page.String() + "#f",
		"?q": testBase.page.String() + "?q", " https://x.example/ ": "https://x.example/", "https://x.example/a b\tc\nd": "https://x.example/a%20bcd",
		"https://x.example/[a]?b[]=1#c#d[e]": "https://x.example/%5Ba%5D?b%5B%5D=1#c%23d%5Be%5D", "https://x.example/100%?50%#%zz%41": "https://x.example/100%25?50%25#%25zz%41",
		"https://x.example/é?é#é": "https://x.example/%C3%A9?%C3%A9#%C3%A9", "https://x.example/\"<>^`{|}": "https://x.example/%22%3C%3E%5E%60%7B%7C%7D",
		"https:\\\\x.example\\a?b\\c": "https://x.example/a?b%5Cc", "\\\\x.example\\a": "https://x.example/a", "https://x.example/a,b;c": "https://x.example/a,b;c",
		"https://bücher.example/": "https://xn--bcher-kva.example/", "https://BÜCHER.example:8443/": "https://xn--bcher-kva.example:8443/", "https://日本。jp/": "https://xn--wgv71a.jp/",
		"https://a_b.example/": "https://a_b.example/", "https://r3---sn.example/": "https://r3---sn.example/", "https://x.example./": "https://x.example./",
		"https://user:p%40@x.example/": "https://user:p%40@x.example/", "https://@x.example/": "https://x.example/", "http://[::1]:80/a": "http://[::1]/a", "http://127.0.0.1:1/": "http://127.0.0.1:1/", "https://x.example": "https://x.example/", "https://x.example?q": "https://x.example/?q", "https://x.example:443/a/./b/../c": "https://x.example/a/c", "http://x.example:443/": "http://x.example:443/",
		"https://x.example:/": "https://x.example/", "https://☕.example/": "https://xn--53h.example/",
		"": "", "http://": "", "https:x": "", "https:///x": "", "https://exa mple/": "", "https://%zz/": "", "https://x.example:99999/": "", "https://x.example:1x/": "", "http://[::1/": "",
		"http://[x]/": "", "http://[fe80::1%25eth0]/": "", "https://\u202e.example/": "", "https://xn--a/": "", "https://a<b/": "", "https://../": "", "https://.x.example/": "", "https://x..example/": "",
		"javascript:alert(1)": "", "JaVa\tScript:alert(1)": "", "data:text/html,x": "", "ftp://x.example/": "", "tel:1": "", "geo:1,2": "", "mailto:a@b.example": "",
	} {
		if got := testBase.webURL(ref); got != want {
			t.Errorf("%q becomes %q, want %q", ref, got, want)
		}
		if got := testBase.webURL(want); got != want {
			t.Errorf("%q becomes %q when it is normalized again", want, got)
		}
	}
}

func TestLinkURLAllowsOtherSchemes(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"tel:+1-2": "tel:+1-2", "TEL:1": "tel:1", "geo:1,2": "geo:1,2", "magnet:?xt=urn:btih:c12fe": "magnet:?xt=urn:btih:c12fe", "xmpp:a@b.example": "xmpp:a@b.example",
		"mailto:a@b.example?subject=x [y] 50%": "mailto:a@b.example?subject=x%20%5By%5D%2050%25", "/x": "https://h.example/press/x",
		"javascript:x": "", "vbscript:x": "", "data:,x": "", "file:///etc/passwd": "", "blob:x": "",
	} {
		if got := testBase.linkURL(ref); got != want {
			t.Errorf("%q becomes %q, want %q", ref, got, want)
		}
	}
}

func TestElementURLRejectsForeignIPv6(t *testing.T) {
	t.Parallel()
	site := base{site: "http://[::1]:8080"}
	for ref, want := range map[string]string{"/a": "http://[::1]:8080/a", "http://[::1]:8080/b": "http://[::1]:8080/b", "http://[::1]:80801/": "", "http://[::2]/": "", "relative": ""} {
		if got := site.elementURL(ref); got != want {
			t.Errorf("%q becomes %q, want %q", ref, got, want)
		}
	}
}

func TestSiteURLIsNormalizedToASCII(t *testing.T) {
	t.Parallel()
	got := Site{URL: "https://bücher.example/préss/", Hubs: []string{"https://hüb.example/", "no address"}}.Normalized()
	if got.URL != "https://xn--bcher-kva.example/pr%C3%A9ss" || got.Hubs[0] != "https://xn--hb-xka.example/" || got.Hubs[1] != "no address" {
		t.Errorf("%+v", got)
	}
}

func TestXMLLanguageIsKnownToValidators(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{"": "", "en": "en", "pt-BR": "pt-BR", "haw": "haw", "cmn-Hant": "zh-Hant", "arb": "ar", "ckb": "und", "yue": "und", "x-own": "x-own"} {
		if got := xmlLanguage(languageTag(tag)); got != want {
			t.Errorf("%q is named %q, want %q", tag, got, want)
		}
	}
}
