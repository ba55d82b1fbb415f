"""Webhooks, alerts and the secrets that sign them, in Redis."""
