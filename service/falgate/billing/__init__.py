"""Comparison with fal: the ledger with its billing, described models with its documents."""
