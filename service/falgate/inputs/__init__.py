"""Input pictures: read from callers, kept for their app for a time, and handed to an upstream."""
