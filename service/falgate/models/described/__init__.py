"""Models described by files: a declaration, and fal's OpenAPI document of the endpoint."""
