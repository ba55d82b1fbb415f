"""A job is one purchase: held, submitted, settled, stored; by one instance at a time."""
