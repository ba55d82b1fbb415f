"""Teams, apps and their keys: who somebody is, and what they may do."""
