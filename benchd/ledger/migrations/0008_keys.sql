-- Rotations of the rack's key are read at every start. A benchd that doesn't know them would go on
-- with a key that was retired.

CREATE INDEX record_of_keys ON record (sequence) WHERE kind = 'key_rotated';
