"""The JSON API under /api/v1/: read-only, described by OpenAPI."""
