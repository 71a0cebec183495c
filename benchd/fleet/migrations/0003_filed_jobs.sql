-- What each job's records tell in short, for looking up: made from them, and anew at will.
CREATE TABLE filed_job (
    rack integer NOT NULL REFERENCES rack,
    job text NOT NULL,
    opened_at timestamptz NOT NULL,
    told jsonb NOT NULL,
    -- The number of its certificate, and the record that it stands in.
    certificate text,
    certified_branch integer,
    certified_sequence bigint,
    PRIMARY KEY (rack, job)
);

CREATE INDEX filed_job_certified ON filed_job (certificate text_pattern_ops)
    WHERE certificate IS NOT NULL;

-- The numbers by which a job is found, each whole and in parts of four letters.
CREATE TABLE filed_number (
    rack integer NOT NULL,
    job text NOT NULL,
    number text NOT NULL,
    parts text[] NOT NULL,
    is_imei boolean NOT NULL,
    is_proven boolean NOT NULL,
    PRIMARY KEY (number, rack, job),
    FOREIGN KEY (rack, job) REFERENCES filed_job
);

CREATE INDEX filed_number_of_job ON filed_number (rack, job);
CREATE INDEX filed_number_part ON filed_number USING gin (parts);

-- How far each branch is filed, and which benchd its rack said last that it runs.
CREATE TABLE filed_upto (
    rack integer NOT NULL,
    branch integer NOT NULL,
    sequence bigint NOT NULL,
    version text,
    PRIMARY KEY (rack, branch),
    FOREIGN KEY (rack, branch) REFERENCES branch
);

-- Who may look handsets up, by the hash of their secret.
CREATE TABLE office (
    name text PRIMARY KEY,
    secret_sha256 text NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    made_at timestamptz NOT NULL DEFAULT now()
);

-- Who has read personal identifiers, what they looked for and what they were shown.
CREATE TABLE office_reading (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    office text NOT NULL REFERENCES office,
    asked text NOT NULL,
    shown jsonb NOT NULL
);

CREATE FUNCTION refuse_change_of_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who has read what is added to and never changed';
END
$$;

CREATE TRIGGER reading_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON office_reading
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_reading();
