"""Redis storage of accounts."""
