-- What receivers of hooks have answered is read at every start, and where a hook once began when it is
-- new or its file was lost, however long the ledger is. By form 10 an older benchd refuses the ledger.

CREATE INDEX record_of_hook_answers ON record (sequence) WHERE kind = 'hook_answered';

CREATE INDEX record_of_hook_begins ON record (sequence) WHERE kind = 'hook_begun';
