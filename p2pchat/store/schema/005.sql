-- How far each contact's pace is used up (delivery/pace.py, Unix ms): from the day on which the contact was listed.
ALTER TABLE in_queues ADD COLUMN paid_ms INTEGER NOT NULL DEFAULT 0;
UPDATE in_queues SET paid_ms = (SELECT created_ms FROM contacts WHERE contacts.id = in_queues.contact);
