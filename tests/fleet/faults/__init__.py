"""Faults by the seed: real racks, a real centre, a real PostgreSQL with its standby.

`scripts/fleet-faults` runs some or repeats one; docs/fleet.md says what is drawn.
"""
