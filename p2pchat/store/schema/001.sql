-- The vault's store, first version. Times are Unix milliseconds; flags are 0 or 1; ids are raw bytes.

-- Single values of the node: the hybrid clock, when a backup was last proved, and the like.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  nickname TEXT NOT NULL,
  avatar BLOB NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;

-- A removed contact stays as a row in state 'none', because the history stays. Large columns come last: a row is
-- read from its front.
CREATE TABLE contacts (
  id INTEGER PRIMARY KEY,
  user BLOB NOT NULL UNIQUE CHECK (length(user) = 32),
  user_text TEXT NOT NULL UNIQUE,
  alias TEXT UNIQUE,
  nickname TEXT,
  state TEXT NOT NULL CHECK (state IN ('none', 'requested', 'incoming', 'accepted', 'restored', 'blocked')),
  verified INTEGER NOT NULL DEFAULT 0,
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  via TEXT NOT NULL,
  note TEXT,
  channel TEXT NOT NULL DEFAULT 'ok' CHECK (channel IN ('ok', 'healing', 'error')),
  lan INTEGER NOT NULL DEFAULT 0,
  set_sequence INTEGER NOT NULL DEFAULT 0,
  accepted_ms INTEGER,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  ticket_given BLOB NOT NULL DEFAULT x'',
  ticket_held BLOB NOT NULL DEFAULT x'',
  addresses BLOB NOT NULL DEFAULT x'',
  device_set BLOB NOT NULL DEFAULT x'',
  key_log BLOB NOT NULL DEFAULT x'',
  avatar BLOB NOT NULL DEFAULT x''
) STRICT;

-- The pair channel's state, one a device of the peer.
CREATE TABLE channels (
  contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  device BLOB NOT NULL,
  state BLOB NOT NULL,
  updated_ms INTEGER NOT NULL,
  PRIMARY KEY (contact, device)
) STRICT, WITHOUT ROWID;

-- Numbers up to 'delivered' are let go; up to 'sent' they were written to a link.
CREATE TABLE out_queues (
  contact INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
  incarnation BLOB NOT NULL CHECK (length(incarnation) = 8),
  tail INTEGER NOT NULL DEFAULT 0,
  sent INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0,
  previous BLOB NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE in_queues (
  contact INTEGER PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
  incarnation BLOB NOT NULL DEFAULT x'',
  have INTEGER NOT NULL DEFAULT 0,
  read INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What was written, apart from what is known about it: a state changes without a text being written again, and one
-- text serves several recipients.
CREATE TABLE contents (
  id INTEGER PRIMARY KEY,
  content ANY NOT NULL -- TEXT where it is text and to be searched, else BLOB
) STRICT;

-- One row a message and contact. 'number' is the place in the queue's present incarnation, else NULL. A void row is
-- a cancelled or expired one whose number must still be filled. The stored state of an outgoing row is never 'sent':
-- that follows from out_queues.sent, so a link that writes a thousand messages changes one row.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  outgoing INTEGER NOT NULL,
  message BLOB NOT NULL CHECK (length(message) = 16),
  device BLOB NOT NULL CHECK (length(device) = 16),
  clock INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  content INTEGER,
  size_bytes INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'read', 'failed')),
  reason TEXT NOT NULL DEFAULT '',
  number INTEGER,
  previous BLOB NOT NULL DEFAULT x'',
  expires_at_ms INTEGER NOT NULL DEFAULT 0,
  void INTEGER NOT NULL DEFAULT 0,
  withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX message_ids ON messages (message, contact, device);
CREATE INDEX history ON messages (contact, clock);
CREATE INDEX numbers ON messages (contact, outgoing, number) WHERE number IS NOT NULL;
CREATE INDEX content_users ON messages (content) WHERE content IS NOT NULL;
CREATE INDEX expiries ON messages (expires_at_ms) WHERE outgoing = 1 AND state = 'queued' AND expires_at_ms > 0;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  message BLOB NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_ms);

-- AUTOINCREMENT: a cursor is never given out twice, even after the newest events were deleted.
CREATE TABLE events (
  cursor INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT NOT NULL,
  contact INTEGER,
  message INTEGER, -- messages.id
  at_ms INTEGER NOT NULL,
  fields TEXT NOT NULL DEFAULT '' -- a JSON object, or nothing
) STRICT;
CREATE INDEX message_events ON events (type) WHERE type = 'message';
CREATE INDEX contact_events ON events (contact);

CREATE TABLE readers (
  name TEXT PRIMARY KEY,
  cursor INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  updated_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The search index holds no text of its own, and forgets a word with the text that held it ('secure-delete').
CREATE VIRTUAL TABLE texts USING fts5 (
  content,
  content = 'contents',
  content_rowid = 'id',
  tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER contents_written AFTER INSERT ON contents WHEN typeof(new.content) = 'text' BEGIN
  INSERT INTO texts (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER contents_deleted AFTER DELETE ON contents WHEN typeof(old.content) = 'text' BEGIN
  INSERT INTO texts (texts, rowid, content) VALUES ('delete', old.id, old.content);
END;
