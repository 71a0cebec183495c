"""Where a job's time went: one trace of each ended job, told by the ledger, sent if wanted."""
