-- Which tokens there are is read at every start, however long the ledger is. A benchd that doesn't know
-- them would let no other system in, but would also not know which of them were revoked.

CREATE INDEX record_of_tokens ON record (sequence) WHERE kind = 'token_changed';
