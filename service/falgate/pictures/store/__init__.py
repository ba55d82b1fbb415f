"""What is known of stored pictures, in Redis."""
