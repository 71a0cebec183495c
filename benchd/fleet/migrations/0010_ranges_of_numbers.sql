-- A job is found by one of its numbers, or by the beginning or the end of one: each is a range of an
-- index that has all that is read there. What was indexed in parts of four letters isn't any more.
ALTER TABLE filed_number RENAME TO former_number;

-- A job's IMEIs are told with it, and not read from its numbers.
ALTER TABLE filed_job ADD COLUMN imeis text[] NOT NULL DEFAULT '{}',
    ADD COLUMN proven text[] NOT NULL DEFAULT '{}';
UPDATE filed_job SET imeis = known.imeis, proven = known.proven
    FROM (
        SELECT rack, job,
            coalesce(array_agg(number ORDER BY number COLLATE "C") FILTER (WHERE is_imei), '{}') AS imeis,
            coalesce(array_agg(number ORDER BY number COLLATE "C") FILTER (WHERE is_proven), '{}') AS proven
        FROM former_number WHERE is_imei OR is_proven GROUP BY rack, job
    ) AS known WHERE (known.rack, known.job) = (filed_job.rack, filed_job.job);

CREATE TABLE filed_number (
    rack integer NOT NULL,
    job text NOT NULL,
    number text COLLATE "C" NOT NULL,
    -- As its job has it, which never changes: the newest are found without reading any job.
    opened_at timestamptz NOT NULL,
    backwards text COLLATE "C" GENERATED ALWAYS AS (reverse(number)) STORED
);

INSERT INTO filed_number (rack, job, number, opened_at)
    SELECT rack, job, number, opened_at FROM former_number JOIN filed_job USING (rack, job);

DROP TABLE former_number;

ALTER TABLE filed_number ADD PRIMARY KEY (number, opened_at, rack, job),
    ADD FOREIGN KEY (rack, job) REFERENCES filed_job;
CREATE INDEX filed_number_backwards ON filed_number (backwards) INCLUDE (rack, job, opened_at);

-- Rows are read in an index alone once they are vacuumed: after each fiftieth of them, not each fifth.
ALTER TABLE filed_number SET (autovacuum_vacuum_insert_scale_factor = 0.02);
ANALYZE filed_number, filed_job;

-- The newest of those with one chip, too.
DROP INDEX filed_job_tied;
CREATE INDEX filed_job_tied ON filed_job (tied, opened_at) WHERE tied IS NOT NULL;
DROP INDEX filed_job_opened;
