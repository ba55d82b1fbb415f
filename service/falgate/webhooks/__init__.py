"""Webhooks and alerts to third parties: signed, sent at least once, never to an inner address."""
