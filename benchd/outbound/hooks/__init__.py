"""What other systems hear of jobs: signed, in order, at least once, and never in a job's way."""
