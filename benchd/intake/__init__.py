"""Lots, assets and what is attested of them: taken in from people and files, kept in the ledger."""
