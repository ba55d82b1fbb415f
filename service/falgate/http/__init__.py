"""HTTP: the server, the edge behind it, and the routes of fal's API."""
