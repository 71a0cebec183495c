"""From a job's records to proof, and nothing else: every gap is found in here. Pure."""
