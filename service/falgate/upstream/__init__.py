"""fal: its queue, its answers and its pictures."""
