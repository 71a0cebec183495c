"""Programs that run inside a virtual handset, with the system's own Python and nothing else."""
