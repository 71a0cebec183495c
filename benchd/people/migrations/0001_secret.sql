-- What is kept of badges and PINs, by its SHA-256. One counts only while the ledger names it.

PRAGMA application_id = 1650814576; -- 0x62656e70

CREATE TABLE secret (
    mark TEXT PRIMARY KEY CHECK (length(mark) = 64),
    kept BLOB NOT NULL
) STRICT;
