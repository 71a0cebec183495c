-- A ledger that was put back to an older state numbers on above all that is known of the lost
-- part; the record that says so is the only one that may leave numbers out.

DROP TRIGGER record_follows_the_last;

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

CREATE INDEX record_of_ledger ON record (kind, sequence)
WHERE kind IN ('ledger_checked', 'ledger_anchored', 'ledger_restored');
