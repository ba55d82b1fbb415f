"""Where a prompt may stand in Redis."""
