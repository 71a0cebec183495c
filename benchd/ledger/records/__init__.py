"""A read model of the ledger: everything about one handset, found by any of its numbers.

For looking up only. Whatever decides something reads the ledger.
"""
