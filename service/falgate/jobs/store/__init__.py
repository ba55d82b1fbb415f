"""Jobs, flights and queued requests in Redis."""
