"""Which handset it is: certain, may be, dispute or none. Pure; docs/identity.md has the rules."""
