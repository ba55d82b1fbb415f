"""Signing in to the console by OpenID Connect: the provider, its tokens, and what groups may do."""
