-- What the ledger tells of jobs, by handset. Made from the ledger and thrown away at will.

PRAGMA application_id = 1650811766; -- "benv": 0x62656e76

CREATE TABLE upto (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Its number is that of the record that opened it. Moments are UTC, so that they can be compared.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    handset INTEGER NOT NULL,
    slot TEXT NOT NULL,
    occupancy INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    lot TEXT,
    consignor TEXT,
    tag TEXT,
    opened_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,
    disposition TEXT,
    reason TEXT,
    manufacturer TEXT,
    model TEXT,
    android TEXT,
    serial TEXT,
    imei TEXT,
    second_imei TEXT,
    screen_number TEXT,
    usb_serial TEXT,
    came_with_data INTEGER,
    chip TEXT,
    tied TEXT, -- the chip that was shown to be its handset's own, as a hash
    certificate TEXT,
    state TEXT,
    since TEXT,
    run_again_as TEXT,
    waited_as TEXT, -- its state before a later job met the same handset by its number
    waited_since TEXT,
    rechecks TEXT, -- the drawn job that it has found its handset to be of
    named INTEGER NOT NULL DEFAULT 0, -- whether its handset has told an IMEI in it
    by_hand INTEGER NOT NULL DEFAULT 0 -- entered at intake: it couldn't even be plugged in
) STRICT;

CREATE INDEX job_of_handset ON job (handset, id);
CREATE INDEX job_by_day ON job (opened_at);
CREATE INDEX job_by_end ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_look_alike ON job (serial, model, manufacturer, named, id, handset)
    WHERE serial IS NOT NULL;
CREATE INDEX job_of_drawn ON job (rechecks) WHERE rechecks IS NOT NULL;
CREATE INDEX job_left_open ON job (state, id) WHERE state IS NOT NULL;
CREATE INDEX job_of_lot ON job (lot, id) WHERE lot IS NOT NULL;
CREATE INDEX job_of_tag ON job (tag, id) WHERE tag IS NOT NULL;
CREATE INDEX job_certified ON job (certificate) WHERE certificate IS NOT NULL;

-- Which jobs' handsets have told an IMEI, over adb or on their own screens.
CREATE TABLE told (
    imei TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (imei, job)
) STRICT, WITHOUT ROWID;

CREATE INDEX told_of_job ON told (job);

-- Which later jobs have met the handset of one that waited; the first of them has taken it over.
CREATE TABLE met (
    job INTEGER NOT NULL,
    record INTEGER NOT NULL,
    later INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (job, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX met_by_later ON met (later);

CREATE TABLE settled (
    sequence INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    at TEXT NOT NULL,
    before TEXT NOT NULL,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    recycler TEXT,
    number TEXT,
    batch TEXT,
    done_on TEXT,
    later_job TEXT
) STRICT;

CREATE INDEX settled_by_job ON settled (job);
CREATE INDEX settled_by_batch ON settled (batch) WHERE batch IS NOT NULL;

-- Whose lots they are.
CREATE TABLE lot (
    lot TEXT PRIMARY KEY,
    consignor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which job a record is of that has brought numbers.
CREATE TABLE brought (
    record INTEGER PRIMARY KEY,
    job INTEGER NOT NULL
) STRICT;

-- The numbers of a record, each whole and in parts of four letters (`numbers.words_of`): a part
-- of three, as SQLite's own trigrams are, is in every other number of a large rack.
CREATE VIRTUAL TABLE term USING fts5 (
    words, content = '', columnsize = 0, tokenize = "ascii tokenchars '='"
);
