"""What other systems may ask for. The ledger says which tokens there are, and knows no secret."""
