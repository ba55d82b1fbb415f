"""Budget gauges read from Redis."""
