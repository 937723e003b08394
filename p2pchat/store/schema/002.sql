-- The search index follows the texts instead of being written with each: a message need not wait for its words.
-- meta 'indexed' is the last content that the index knows. Ids are never given out twice, so that it stays true when
-- the newest text is deleted.
DROP TRIGGER contents_written;
DROP TRIGGER contents_deleted;
ALTER TABLE contents RENAME TO contents_before;
CREATE TABLE contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content ANY NOT NULL -- TEXT where it is text and to be searched, else BLOB
) STRICT;
INSERT INTO contents SELECT id, content FROM contents_before;
DROP TABLE contents_before;
INSERT INTO meta SELECT 'indexed', max(id) FROM contents HAVING max(id) IS NOT NULL;

CREATE TRIGGER contents_deleted AFTER DELETE ON contents
WHEN typeof(old.content) = 'text' AND old.id <= (SELECT value FROM meta WHERE name = 'indexed') BEGIN
  INSERT INTO texts (texts, rowid, content) VALUES ('delete', old.id, old.content);
END;

-- The last three bytes of a message id tell when it was made (ids.py): ids made together lie together in the index,
-- so that a hundred new messages touch a few of its pages and not a hundred.
DROP INDEX message_ids;
CREATE UNIQUE INDEX message_ids ON messages (substr(message, 14), message, contact, device);
