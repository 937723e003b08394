-- A contact gave up its ID, and says that it goes by this one now (32 bytes): nothing is sent to the old one until the
-- user has accepted or rejected the new. Empty where nobody says so.
ALTER TABLE contacts ADD COLUMN successor BLOB NOT NULL DEFAULT x'';
CREATE INDEX successors ON contacts (successor) WHERE successor <> x'';
-- 1: a friend by an ID that this node gave up. Requests to this contact say so.
ALTER TABLE contacts ADD COLUMN announce INTEGER NOT NULL DEFAULT 0;
