-- The hash of the last body that was taken, which the next one must name; empty: not known.
ALTER TABLE in_queues ADD COLUMN previous BLOB NOT NULL DEFAULT x'';

-- A channel's health counts tries by message now: epochs are agreed anew at the next link.
DELETE FROM channels;
