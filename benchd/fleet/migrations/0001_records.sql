-- Each rack that has joined, by the id of its first key, with the key ring that its heads are held to.
CREATE TABLE rack (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id text NOT NULL UNIQUE CHECK (key_id ~ '^[0-9a-f]{64}$'),
    name text NOT NULL UNIQUE,
    ring bytea NOT NULL,
    trusted_key bytea NOT NULL CHECK (length(trusted_key) = 32),
    ring_version integer NOT NULL DEFAULT 1,
    joined_at timestamptz NOT NULL DEFAULT now()
);

-- One line of a rack's records: 0 is the first that came, each other begins where it left another.
CREATE TABLE branch (
    rack integer NOT NULL REFERENCES rack,
    branch integer NOT NULL CHECK (branch >= 0),
    why text NOT NULL CHECK (why IN ('first', 'fork', 'restored')),
    left_branch integer,
    left_sequence bigint NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL DEFAULT now(),
    tip_sequence bigint NOT NULL,
    tip_hash bytea NOT NULL CHECK (length(tip_hash) = 32),
    heard_at timestamptz NOT NULL DEFAULT now(),
    -- The newest that was signed for it.
    checkpoint bytea,
    PRIMARY KEY (rack, branch),
    CHECK ((branch = 0) = (why = 'first') AND (branch = 0) = (left_branch IS NULL))
);

-- A record's hash stands for all that came before it: a rack has it once, in one branch.
CREATE TABLE record (
    rack integer NOT NULL,
    branch integer NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    kind text NOT NULL,
    body bytea NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rack, branch, sequence),
    UNIQUE (rack, hash),
    FOREIGN KEY (rack, branch) REFERENCES branch
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'records of a rack are added to and never changed';
END
$$;

CREATE TRIGGER record_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
