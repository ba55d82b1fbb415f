"""What is watched of the money, read from Redis."""
