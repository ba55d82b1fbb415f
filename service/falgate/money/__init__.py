"""Budgets and the ledger: integer micro-USD, timed by Redis's clock."""
