"""A stand-in for fal: its protocol, real pictures, its books, and dials for every failure."""
