"""The admin API: one file a resource, behind the admin key."""
