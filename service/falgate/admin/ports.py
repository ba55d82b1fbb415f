"""Ports of the administration. Without Redis, every method raises `Unavailable`."""
