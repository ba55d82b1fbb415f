"""Values shared by all domains: no I/O, no clock, no environment."""
