"""Jobs, flights and kept requests in Redis."""
