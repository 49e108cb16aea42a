package lint

import "slices"

// Rule is one kind of finding.
type Rule struct {
	Name     string // stable; editors waive findings by it
	Severity Severity
	Harmful  bool   // an error that also stops editions without an editor
	Meaning  string // what is wrong
	Fix      string
}

// Rules returns all rules in the order of docs/checks.md.
func Rules() []Rule { return slices.Concat(fixedRules, clientRules()) }

// Known reports whether there is a rule of this name.
func Known(name string) bool { return rules[name].Name != "" }

var rules = byName(Rules())

func byName(all []Rule) map[string]Rule {
	out := map[string]Rule{}
	for _, r := range all {
		out[r.Name] = r
	}
	return out
}

var fixedRules = []Rule{
	{"subject-empty", Error, true, "The subject is empty. Spam filters reject such mails.", "Write a subject, or correct the digest's subject template."},
	{"subject-long", Warning, false, "The subject has more than 60 characters. Phones cut it off.", "Shorten the subject; put the rest into the preview text."},
	{"subject-repeated", Warning, false, "One of the last 20 editions had the same subject. Mail programs show both as one conversation.", "Write another subject, or let the subject template name the first article or the number."},
	{"edition-empty", Error, true, "A variant shows no article.", "Add an article, or cancel the edition."},
	{"text-missing", Error, false, "The text part is empty. It is all that some mail programs and spam filters read.", "Correct the .txt file of the mail template."},
	{"text-incomplete", Warning, false, "The text part leaves out an article that the HTML part shows.", "Correct the .txt file of the mail template so that it prints every article."},
	{"weight-over", Error, true, "The HTML part has more than 102,000 bytes. Gmail cuts it off, and the unsubscribe link with it.", "Use a smaller template, or show summaries instead of whole articles."},
	{"weight-large", Warning, false, "The HTML part has more than 80,000 bytes. Gmail cuts mails off at 102,000.", "Choose fewer articles, or show summaries instead of whole articles."},
	{"unsubscribe-missing", Error, true, "The HTML part or the text part has no unsubscribe link. Many countries require one.", "Print .Reader.Unsubscribe in the mail template."},
	{"postal-missing", Error, false, "The postal address is configured, but the mail does not show it.", "Print .Site.Postal in the mail template."},
	{"postal-unset", Warning, false, "No postal address is configured. Many countries require one in each mail.", "Set mail.postal_address in the configuration."},
	{"leftover-text", Error, false, "Text of the template looks like a value that was not filled in.", "Correct the template, the subject or the text that an editor wrote."},
	{"heading-empty", Warning, false, "A heading has no text. Screen readers announce it all the same.", "Leave the heading out of the template when it has no text."},
	{"summary-missing", Warning, false, "An article has no summary.", "Write a summary: in the article's front matter, or in the admin."},
	{"image-alt-missing", Warning, false, "An image has no alt text. Many mail programs hide images and show that text.", "Describe the image in the article, or set alt=\"\" in the template if it is decoration."},
	{"image-absent", Error, false, "An image of this site is not in the store.", "Import the article again with its image, or remove the image."},
	{"image-heavy", Warning, false, "An image has more than 1,000,000 bytes. It loads slowly on phones.", "Use a smaller image."},
	{"image-narrow", Warning, false, "An image has fewer pixels than it is shown with, so it looks blurred.", "Use a larger image, or show it smaller."},
	{"link-empty", Error, false, "A link leads nowhere: its address is empty.", "Correct the template, or the link in the article."},
	{"link-relative", Error, false, "A link has no host. A mail has no page that it could be relative to.", "Write the whole address, with https:// and the host."},
	{"link-nameless", Warning, false, "A link has neither text nor an image with alt text, so screen readers cannot announce it.", "Give the link a text, or its image an alt text. If it repeats the link beside it, hide it from screen readers: tabindex=\"-1\" aria-hidden=\"true\"."},
	{"link-absent", Error, false, "A link leads to an article or a medium of this site that does not exist or is not public.", "Correct the link, or publish the article."},
	{"contrast-light", Warning, false, "Text has too little contrast with its background: less than 4.5:1, or 3:1 for large text (WCAG 2.2, 1.4.3).", "Choose a darker text or a lighter background in the template or the brand's colors."},
	{"contrast-dark", Warning, false, "Text has too little contrast with its background when the mail program is in dark mode.", "Correct the rules for dark mode in the template or the brand's colors."},
	{"link-broken", Error, false, "A link leads nowhere: the server answers that the page does not exist (404, 410), its host does not exist, or it redirects without end.", "Correct or remove the link."},
	{"link-failing", Warning, false, "A link's server did not answer, or answered with an error of its own (5xx).", "Open the link in a browser. Correct it, or check again later."},
	{"link-unchecked", Warning, false, "A link could not be checked: its server refuses programs (403, 429, 999) or wants a sign-in, or the check ended first.", "Open the link in a browser."},
	{"link-private", Warning, false, "A link leads to an address that is not public, such as one of your own network. Subscribers cannot open it.", "Use the public address. For a newsletter within a network, set check.intranet."},
	{"links-many", Warning, false, "The edition has more links and images of other sites than one check requests: 200.", "Open the others in a browser."},
	{"image-broken", Error, false, "An image of another site does not exist, or its address leads to something that is not an image.", "Correct or remove the image."},
	{"image-failing", Warning, false, "An image's server did not answer, or answered with an error of its own (5xx).", "Open the image in a browser. Correct it, or check again later."},
	{"image-unchecked", Warning, false, "An image could not be checked: its server refuses programs, or the check ended first.", "Open the image in a browser."},
	{"image-private", Warning, false, "An image has an address that is not public. Subscribers do not see it.", "Use the public address, or import the image with its article."},
	{"spam-high", Error, false, "A configured spam filter gives the mail more than 5 points: it would be sorted out.", "Look up the named rules of the filter and change what they find."},
	{"spam-raised", Warning, false, "A configured spam filter gives the mail more than 2 points.", "Look up the named rules of the filter and change what they find."},
	{"spam-unchecked", Warning, false, "A configured spam filter did not answer.", "Start the filter, or correct its address under check in the configuration."},
}
