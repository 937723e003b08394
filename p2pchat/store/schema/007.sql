-- What the QR code of a card said that the first link must show (an encoded CardCode); empty once that is pinned.
ALTER TABLE contacts ADD COLUMN expected BLOB NOT NULL DEFAULT x'';
