"""A client of fal: its queue, its platform, its webhooks; nothing of ours but the vocabulary."""
