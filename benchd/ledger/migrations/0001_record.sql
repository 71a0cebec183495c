-- The one table of the ledger: it is only ever added to, and each record carries the hash of the one before.

PRAGMA application_id = 1650811747; -- "bench" cut to four bytes: 0x62656e63

CREATE TABLE record (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    kind TEXT NOT NULL,
    slot TEXT,
    occupancy INTEGER,
    job TEXT,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX record_by_job ON record (job) WHERE job IS NOT NULL;

CREATE INDEX record_by_occupancy ON record (slot, occupancy) WHERE occupancy IS NOT NULL;

CREATE INDEX record_of_job_opened ON record (sequence) WHERE kind = 'job_opened';

CREATE INDEX record_of_job_ended ON record (job) WHERE kind = 'job_ended';

CREATE TRIGGER record_follows_the_last BEFORE INSERT ON record
BEGIN
    SELECT RAISE(ABORT, 'a record must have the next sequence number')
    WHERE NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record);
    SELECT RAISE(ABORT, 'a record must carry the hash of the last one')
    WHERE NEW.previous IS NOT coalesce(
        (SELECT hash FROM record ORDER BY sequence DESC LIMIT 1),
        zeroblob(32)
    );
END;

CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
BEGIN
    SELECT RAISE(ABORT, 'a record is never changed');
END;

CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
BEGIN
    SELECT RAISE(ABORT, 'a record is never deleted');
END;
