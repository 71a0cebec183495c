"""The rack's records on their way to the fleet's centre; the ledger is their outbox."""
