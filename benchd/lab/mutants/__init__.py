"""Mutation testing: what no test notices when a line of the decisive rooms is changed."""
