-- A chip that a job's handset is tied to, so that those that only it joins are found by an index.
ALTER TABLE filed_job ADD COLUMN tied text;
UPDATE filed_job SET tied = told ->> 'tied' WHERE told ? 'tied';
CREATE INDEX filed_job_tied ON filed_job (tied) WHERE tied IS NOT NULL;

-- What very many jobs have in their numbers is looked for from the newest job on.
CREATE INDEX filed_job_opened ON filed_job (opened_at);
