"""Who may use the rack. The ledger says who there is; a file of its own keeps the secrets."""
