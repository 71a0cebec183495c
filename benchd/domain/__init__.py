"""The words of the rack as types: ids, enums with their allowed moves, and values. No I/O.

Every enum value is the lower-case word that the ledger, the API and the metrics use.
"""
