"""Formats stored documents and check results as text for people; no database access."""
