-- What the ledger tells of jobs, by handset. Made from the ledger and thrown away at will.

PRAGMA application_id = 1650811766; -- "benv": 0x62656e76

CREATE TABLE upto (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Its number is that of the record that opened it.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    handset INTEGER NOT NULL,
    slot TEXT NOT NULL,
    occupancy INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    lot TEXT,
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
    certificate TEXT,
    state TEXT,
    since TEXT,
    run_again_as TEXT
) STRICT;

CREATE INDEX job_of_handset ON job (handset, id);
CREATE INDEX job_by_day ON job (opened_at);
CREATE INDEX job_look_alike ON job (serial, model, manufacturer, handset) WHERE serial IS NOT NULL;
CREATE INDEX job_left_open ON job (state, id) WHERE state IS NOT NULL;
CREATE INDEX job_certified ON job (certificate) WHERE certificate IS NOT NULL;

-- Which jobs' handsets have told an IMEI, over adb or on their own screens.
CREATE TABLE told (
    imei TEXT NOT NULL,
    job INTEGER NOT NULL,
    PRIMARY KEY (imei, job)
) STRICT, WITHOUT ROWID;

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

-- Parts of numbers, by trigrams. A row's number is the job's times eight, and which of its
-- records brought the words.
CREATE VIRTUAL TABLE term USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'trigram'
);
