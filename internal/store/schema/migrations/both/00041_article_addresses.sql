-- +goose Up

-- The addresses of articles for sitemaps, without a look at the articles themselves.
CREATE INDEX articles_addresses ON articles (status, seq, published, expires, updated, url, slug);
