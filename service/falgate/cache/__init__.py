"""The cache: which requests share pictures, and which pictures of a pool a request may use."""
