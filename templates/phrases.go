package templates

// Phrases are the fixed words of the mails in one language.
type Phrases struct{}
