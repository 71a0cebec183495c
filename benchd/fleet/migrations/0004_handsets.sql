-- How far each branch's records stand in the two tables below: those of a centre that took them in
-- before there were any are noted when it starts.
ALTER TABLE branch ADD COLUMN noted_sequence bigint NOT NULL DEFAULT 0;

-- Which records tell something of a job's handset. What they tell is read from themselves.
CREATE TABLE job_record (
    rack integer NOT NULL,
    job text NOT NULL,
    branch integer NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (rack, job, branch, sequence)
);

-- By which numbers a job finds its handset.
CREATE TABLE handset_trait (
    value text NOT NULL,
    trait text NOT NULL CHECK (trait IN ('imei', 'serial')),
    rack integer NOT NULL REFERENCES rack,
    job text NOT NULL,
    -- Whether the job dooms its handset, holds it or has drawn it: however many come after it, it is found.
    lasting boolean NOT NULL DEFAULT false,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (value, trait, rack, job)
);

CREATE INDEX handset_trait_of_job ON handset_trait (rack, job);
CREATE INDEX handset_trait_lasting ON handset_trait (value, trait) WHERE lasting;

-- Which job has which handset in hand. Numbers only grow: a later lease is never the smaller one.
CREATE SEQUENCE lease_number;

CREATE TABLE handset_lease (
    handset text PRIMARY KEY,
    rack integer NOT NULL REFERENCES rack,
    job text NOT NULL,
    number bigint NOT NULL,
    until timestamptz NOT NULL
);

CREATE INDEX handset_lease_of_job ON handset_lease (rack, job);

-- What an administrator of the centre wants held.
CREATE TABLE watched_imei (
    imei text PRIMARY KEY CHECK (imei ~ '^[0-9]{15}$'),
    note text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);
