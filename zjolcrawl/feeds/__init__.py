"""Feeds of what was published, edited and taken down, as Atom (RFC 4287) and JSON Feed 1.1."""
