"""Webhooks and alerts to third parties: signed, at least once, never to an internal address."""
