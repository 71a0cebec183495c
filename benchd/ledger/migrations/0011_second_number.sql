-- In which jobs a person read the other IMEI of a handset with two SIMs: a debt under either number
-- has to be found by the other.

CREATE INDEX record_of_second_number ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.second_number'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.second_number'), NULL
) IS NOT NULL;
