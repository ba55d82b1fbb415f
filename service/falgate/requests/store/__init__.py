"""Prompts in Redis, for their erasure."""
