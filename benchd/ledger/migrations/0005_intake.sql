-- What came in, and what was attested of it: read whole at a start, and from a lot on for a proof.

CREATE INDEX record_of_intake ON record (sequence)
WHERE kind IN (
    'lot_added',
    'assets_added',
    'attested',
    'attestation_withdrawn',
    'network_listed',
    'asset_bound',
    'asset_unerasable'
);
