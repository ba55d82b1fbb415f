"""Pools and places in Redis."""
