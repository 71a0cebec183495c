"""Labels at a job's end, and the sheets that lie beside the rack."""
