"""Reconciliation of the ledger with fal's billing, and recovery of lost purchases."""
