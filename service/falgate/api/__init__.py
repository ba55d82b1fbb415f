"""HTTP: routes, authentication, headers and errors."""
