"""FeliCa chips over the air: frames, scans and verdicts; reads which nodes exist, never writes."""
