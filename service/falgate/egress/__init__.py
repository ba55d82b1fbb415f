"""Connections to addresses that callers name: which are allowed, checked whenever one is made."""
