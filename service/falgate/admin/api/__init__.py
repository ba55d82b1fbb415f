"""The admin API: one file per resource, behind the admin key."""
