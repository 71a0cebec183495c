-- Who may use the rack is read at every start, however long the ledger is.

CREATE INDEX record_of_people ON record (sequence) WHERE kind = 'person_changed';
