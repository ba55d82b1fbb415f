"""Client for fal: its queue, its platform API and its webhooks; depends only on core and models."""
