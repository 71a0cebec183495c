"""A ledger on a disk whose power is cut: what wasn't flushed is gone. Runs in the guest."""
