"""Pools of pictures in Redis."""
