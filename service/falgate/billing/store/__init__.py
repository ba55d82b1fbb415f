"""Corrections and recoveries of the ledger in Redis."""
