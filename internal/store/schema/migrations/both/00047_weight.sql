-- +goose Up

-- Where digests ordered by weight show an article: lower weights come first, 0 is none.
ALTER TABLE articles ADD COLUMN weight BIGINT NOT NULL DEFAULT 0;

-- Finds the articles that wait for a digest without reading their rows: the id leads to the ledger.
DROP INDEX articles_waiting;
CREATE INDEX articles_waiting ON articles (status, published, seq, appears, id);
