-- Who has confirmed the rack's time is read with what came in, and each step of its clock at every start:
-- nothing with an age is cited by a clock that is behind. A benchd that doesn't know of either would cite.

DROP INDEX record_of_intake;

CREATE INDEX record_of_intake ON record (sequence)
WHERE kind IN (
    'lot_added',
    'assets_added',
    'attested',
    'attestation_withdrawn',
    'network_listed',
    'asset_bound',
    'asset_unerasable',
    'time_confirmed'
);

CREATE INDEX record_of_clock ON record (sequence) WHERE kind = 'clock_stepped';
