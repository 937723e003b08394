-- When this node gave away a value in a live comparison of keys: each is one guess for whoever sits between.
CREATE TABLE comparisons (
  contact INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX comparisons_of ON comparisons (contact, at_ms);
