-- What was deleted from the event log before a reader had come to it: it is told once. '' stands for all readers that
-- the store has not met.
CREATE TABLE gaps (
  reader TEXT PRIMARY KEY,
  upto INTEGER NOT NULL, -- highest cursor that was deleted
  messages INTEGER NOT NULL -- how many of the deleted events were messages that the reader had not confirmed
) STRICT, WITHOUT ROWID;
