"""Stored documents as text for a person: pure, no database."""
