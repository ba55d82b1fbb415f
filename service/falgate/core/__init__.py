"""The vocabulary that all domains share: pure values, no I/O, no clock, no environment."""
