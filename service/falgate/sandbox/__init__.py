"""A stand-in for fal: its protocol, real pictures, its billing, and every failure on demand."""
