-- Jobs are found by their chip, too, where the racks of a dealer hash it with one secret.
ALTER TABLE handset_trait DROP CONSTRAINT handset_trait_trait_check,
    ADD CONSTRAINT handset_trait_trait_check CHECK (trait IN ('imei', 'serial', 'chip'));
-- What an older centre has taken in is noted anew when the centre starts.
UPDATE branch SET noted_sequence = 0;
