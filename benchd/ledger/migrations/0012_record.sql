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

-- A ledger that was put back to an older state numbers on above all that is known of the lost
-- part; the record that says so is the only one that may leave numbers out.

CREATE TRIGGER record_follows_the_last BEFORE INSERT ON record
BEGIN
    SELECT RAISE(ABORT, 'a record must have the next sequence number')
    WHERE NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM record)
        AND NOT (
            NEW.kind = 'ledger_restored'
            AND NEW.sequence > (SELECT coalesce(max(sequence), 0) FROM record)
        );
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

-- What a start reads of the ledger itself, however long it is.

CREATE INDEX record_of_ledger ON record (kind, sequence)
WHERE kind IN ('ledger_checked', 'ledger_anchored', 'ledger_restored');

-- In which jobs a chip was seen: one chip under two handsets has to be noticed at the second.

CREATE INDEX record_of_chip ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.chip'), NULL)
) WHERE kind = 'stage_ended';

-- In which jobs a handset was seen: what was to be destroyed has to be noticed when it comes back.
-- Few records tell an IMEI, and only those are in here.

CREATE INDEX record_of_imei ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.imei'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.imei'), NULL
) IS NOT NULL;

CREATE INDEX record_of_other_number ON record (
    iif(json_valid(CAST(body AS TEXT)), coalesce(
        json_extract(CAST(body AS TEXT), '$.data.evidence.second_imei'),
        json_extract(CAST(body AS TEXT), '$.data.evidence.screen_number')
    ), NULL)
) WHERE kind = 'stage_ended' AND iif(json_valid(CAST(body AS TEXT)), coalesce(
    json_extract(CAST(body AS TEXT), '$.data.evidence.second_imei'),
    json_extract(CAST(body AS TEXT), '$.data.evidence.screen_number')
), NULL) IS NOT NULL;

-- In which jobs a handset told its serial: one that was drawn for a recheck has to be noticed when it
-- is run again, also where it tells no IMEI.

CREATE INDEX record_of_serial ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.serial'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.serial'), NULL
) IS NOT NULL;

-- In which jobs a person read the other IMEI of a handset with two SIMs: a debt under either number
-- has to be found by the other.

CREATE INDEX record_of_second_number ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.second_number'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.second_number'), NULL
) IS NOT NULL;

-- What came in, what was attested of it, and who has confirmed the rack's time: read whole at a start, and
-- from a lot on for a proof.

CREATE INDEX record_of_intake ON record (sequence)
WHERE kind IN (
    'lot_added',
    'assets_added',
    'asset_struck',
    'attested',
    'attestation_withdrawn',
    'network_listed',
    'asset_bound',
    'asset_unerasable',
    'asset_assessed',
    'time_confirmed'
);

-- Each step of the rack's clock is read at every start: nothing with an age is cited by one that is behind.

CREATE INDEX record_of_clock ON record (sequence) WHERE kind = 'clock_stepped';

-- Who may use the rack is read at every start, however long the ledger is.

CREATE INDEX record_of_people ON record (sequence) WHERE kind = 'person_changed';

-- Rotations of the rack's key are read at every start, and which tokens there are.

CREATE INDEX record_of_keys ON record (sequence) WHERE kind = 'key_rotated';

CREATE INDEX record_of_tokens ON record (sequence) WHERE kind = 'token_changed';

-- What receivers of hooks have answered is read at every start, and where a hook once began when it is
-- new or its file was lost.

CREATE INDEX record_of_hook_answers ON record (sequence) WHERE kind = 'hook_answered';

CREATE INDEX record_of_hook_begins ON record (sequence) WHERE kind = 'hook_begun';

-- Which grades people have given is read at every start.

CREATE INDEX record_of_grades ON record (sequence) WHERE kind = 'handset_graded';

-- What the fleet's centre has acknowledged is read at every start, and whether it lacked any of that.

CREATE INDEX record_of_checkpoints ON record (kind, sequence)
WHERE kind IN ('checkpoint_received', 'centre_lacked');
