-- +goose Up

-- The deliveries that are or were in doubt, which the page of an edition lists. They are few.
CREATE INDEX deliveries_doubted ON deliveries (edition, subscriber) WHERE reason LIKE 'in doubt%';
