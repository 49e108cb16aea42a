-- name: change.insert
-- Records a change of a subscriber.
INSERT INTO subscriber_changes (subscriber, at, who, what, detail) VALUES ($1, $2, $3, $4, $5);

-- name: change.ofSubscriber
-- The newest $2 changes of a subscriber. Index: subscriber_changes_subscriber.
SELECT at, who, what, detail FROM subscriber_changes WHERE subscriber = $1 ORDER BY id DESC LIMIT $2;

-- name: change.forget
-- Index: subscriber_changes_subscriber.
DELETE FROM subscriber_changes WHERE subscriber = $1;
