"""The administration's REST API, under /admin/v1: one file for each resource."""
