-- How far each hook has come. What it tells is in the ledger, and never here.

PRAGMA application_id = 1650814568; -- "benh": 0x62656e68

-- Up to which record each hook has taken over what is to be sent.
CREATE TABLE hook (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is still to be sent, by the number of its record; of one lane only the first may go.
CREATE TABLE waiting (
    hook TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    lane TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    waited_s REAL NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '', -- it wasn't taken the last time
    PRIMARY KEY (hook, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX waiting_of_lane ON waiting (hook, lane, sequence);

-- What nobody took, with a word for why.
CREATE TABLE dead (
    hook TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    lane TEXT NOT NULL,
    why TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (hook, sequence)
) STRICT, WITHOUT ROWID;

-- What receivers have asked for, as the ledger has it; of two answers to one event the first.
CREATE TABLE direction (
    hook TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    job TEXT NOT NULL,
    action TEXT,
    bin TEXT,
    refused TEXT,
    record INTEGER NOT NULL,
    PRIMARY KEY (hook, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX direction_of_job ON direction (job, record);

CREATE INDEX direction_in_order ON direction (record);
