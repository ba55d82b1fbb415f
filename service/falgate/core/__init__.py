"""The pure core: decides, and does no I/O, reads no clock and no environment."""
