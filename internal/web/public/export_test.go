package public

// SetSitemapPart sets how many article numbers a sitemap covers.
func (p *Pages) SetSitemapPart(n int64) { p.sitemapPart = n }
