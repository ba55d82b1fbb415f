"""Records of accounts in Redis."""
