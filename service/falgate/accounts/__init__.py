"""Teams, apps and their keys: identity, permissions and limits."""
