"""Budgets and the ledger: integer micro-USD, by the clock of Redis."""
