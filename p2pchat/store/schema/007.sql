-- What the QR code of a card said that the first link must show (an encoded CardCode); empty once that is pinned.
ALTER TABLE contacts ADD COLUMN expected BLOB NOT NULL DEFAULT x'';
-- Another key log of the contact than the pinned one, neither going on from the other: until the user decides, nothing
-- is sent. Empty where there is none.
ALTER TABLE contacts ADD COLUMN fork BLOB NOT NULL DEFAULT x'';
