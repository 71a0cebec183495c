-- What there is besides the tables, which `rows.py` declares. Made from the ledger and thrown away at will.

PRAGMA application_id = 1650811766; -- "benv": 0x62656e76

CREATE INDEX job_of_handset ON job (handset, id);
CREATE INDEX job_by_day ON job (opened_at);
CREATE INDEX job_by_end ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_look_alike ON job (serial, model, manufacturer, named, id, handset)
    WHERE serial IS NOT NULL;
CREATE INDEX job_of_drawn ON job (rechecks) WHERE rechecks IS NOT NULL;
CREATE INDEX job_left_open ON job (state, since, id)
    WHERE state IS NOT NULL AND sold_under IS NULL;
CREATE INDEX job_of_lot ON job (lot, id) WHERE lot IS NOT NULL;
CREATE INDEX job_of_tag ON job (tag, id) WHERE tag IS NOT NULL;
CREATE INDEX job_certified ON job (certificate) WHERE certificate IS NOT NULL;

CREATE INDEX attended_of_job ON attended (job);

CREATE INDEX told_of_job ON told (job);

CREATE INDEX met_by_later ON met (later);

CREATE INDEX settled_by_job ON settled (job);
CREATE INDEX settled_by_batch ON settled (batch) WHERE batch IS NOT NULL;

-- The numbers of a record, each whole and in parts of four letters (`numbers.words_of`): a part
-- of three, as SQLite's own trigrams are, is in every other number of a large rack.
CREATE VIRTUAL TABLE term USING fts5 (
    words, content = '', columnsize = 0, tokenize = "ascii tokenchars '='"
);
