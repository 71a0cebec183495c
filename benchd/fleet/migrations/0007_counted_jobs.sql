-- How far each branch is counted: beside what is filed, so that the one is made anew without the other.
CREATE TABLE counted_upto (
    rack integer NOT NULL,
    branch integer NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (rack, branch),
    FOREIGN KEY (rack, branch) REFERENCES branch
);

-- Numbers for records in the order in which they are counted, so many at once (`record_follower.PIECE`).
CREATE SEQUENCE counted_number INCREMENT 500;

-- A job as its rack's own read model has it, so that one more record can be folded into it.
CREATE TABLE folded_job (
    id bigint PRIMARY KEY,
    rack integer NOT NULL REFERENCES rack,
    job text NOT NULL,
    handset bigint NOT NULL,
    tag text,
    rechecks text,
    told jsonb NOT NULL,
    -- Its questions that nobody has answered, and the branch and number of the last record of them.
    waits jsonb,
    waits_branch integer,
    waits_sequence bigint,
    UNIQUE (rack, job)
);

CREATE INDEX folded_job_handset ON folded_job (handset);
CREATE INDEX folded_job_tag ON folded_job (rack, tag) WHERE tag IS NOT NULL;
CREATE INDEX folded_job_rechecks ON folded_job (rack, rechecks) WHERE rechecks IS NOT NULL;
CREATE INDEX folded_job_waits ON folded_job (rack) WHERE waits IS NOT NULL;

CREATE TABLE folded_imei (
    imei text NOT NULL,
    job bigint NOT NULL REFERENCES folded_job,
    PRIMARY KEY (imei, job)
);

CREATE INDEX folded_imei_of_job ON folded_imei (job);

CREATE TABLE folded_met (
    job bigint NOT NULL,
    record bigint NOT NULL,
    later bigint NOT NULL,
    at text NOT NULL,
    PRIMARY KEY (job, record)
);

CREATE INDEX folded_met_later ON folded_met (later);

CREATE TABLE folded_lot (
    rack integer NOT NULL REFERENCES rack,
    lot text NOT NULL,
    consignor text NOT NULL,
    PRIMARY KEY (rack, lot)
);

-- What can be told of a job in the report; there are few, and many jobs share one.
CREATE TABLE counted_kind (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id < 1048576),
    told jsonb NOT NULL UNIQUE
);

-- Of each job what the report counts, as narrow as can be.
CREATE TABLE counted_job (
    id bigint PRIMARY KEY,
    opened_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- The first job of its handset on its rack, and of the same handset on all racks.
    handset bigint NOT NULL,
    fleet_handset bigint NOT NULL,
    -- The job that tells what has become of it: its own, but for a passed look.
    counts_as bigint NOT NULL,
    counts_at bigint NOT NULL,
    rack integer NOT NULL REFERENCES rack,
    kind integer NOT NULL REFERENCES counted_kind,
    -- Whether it is the only job of its handset on its rack, and whether another rack has had that, too.
    is_alone boolean NOT NULL,
    is_shared boolean NOT NULL,
    has_chip boolean NOT NULL,
    in_use boolean NOT NULL,
    with_data boolean,
    passed boolean,
    lot text,
    consignor text
);

CREATE INDEX counted_job_opened ON counted_job (opened_at);
CREATE INDEX counted_job_handset ON counted_job (handset);
CREATE INDEX counted_job_fleet_handset ON counted_job (fleet_handset);
CREATE INDEX counted_job_ended ON counted_job (ended_at) INCLUDE (rack, passed)
    WHERE passed IS NOT NULL;
