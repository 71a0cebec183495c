-- In which jobs a chip was seen: one chip under two handsets has to be noticed at the second.

CREATE INDEX record_of_chip ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.chip'), NULL)
) WHERE kind = 'stage_ended';
