"""What a model declares, how its arguments are read, and what its pictures cost."""
