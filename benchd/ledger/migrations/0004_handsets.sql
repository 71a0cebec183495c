-- In which jobs a handset was seen: what was to be destroyed has to be noticed when it comes back.
-- Few records tell an IMEI, and only those are in here.

CREATE INDEX record_of_imei ON record (
    iif(json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.imei'), NULL)
) WHERE kind = 'stage_ended' AND iif(
    json_valid(CAST(body AS TEXT)), json_extract(CAST(body AS TEXT), '$.data.evidence.imei'), NULL
) IS NOT NULL;

CREATE INDEX record_of_other_number ON record (
    iif(json_valid(CAST(body AS TEXT)), coalesce(
        json_extract(CAST(body AS TEXT), '$.data.evidence.second_imei'),
        json_extract(CAST(body AS TEXT), '$.data.evidence.screen_number')
    ), NULL)
) WHERE kind = 'stage_ended' AND iif(json_valid(CAST(body AS TEXT)), coalesce(
    json_extract(CAST(body AS TEXT), '$.data.evidence.second_imei'),
    json_extract(CAST(body AS TEXT), '$.data.evidence.screen_number')
), NULL) IS NOT NULL;
