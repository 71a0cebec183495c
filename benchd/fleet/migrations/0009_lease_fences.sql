-- Of the leases of a handset the last that was asked for by a proven number of it, or for a
-- certificate: a number that one person misread ends no other handset's job. What was there before counts.
ALTER TABLE handset_lease ADD COLUMN fence bigint NOT NULL DEFAULT 0;
UPDATE handset_lease SET fence = number;
