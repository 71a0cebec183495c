-- In which jobs a handset told its serial: one that was drawn for a recheck has to be noticed when it
-- is run again, also where it tells no IMEI.

CREATE INDEX record_of_serial ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.serial'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.serial'), NULL
) IS NOT NULL;
