"""Webhooks, alerts and signing secrets in Redis."""
