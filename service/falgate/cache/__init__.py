"""The cache: which requests share pictures, and how an app or a caller may use what is there."""
