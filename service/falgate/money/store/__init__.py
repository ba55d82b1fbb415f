"""Budgets, the ledger and its trust in Redis."""
