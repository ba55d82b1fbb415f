"""What the console keeps in Redis."""
