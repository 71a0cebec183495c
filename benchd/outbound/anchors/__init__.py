"""The ledger's head, kept outside of the rack."""
