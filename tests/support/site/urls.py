"""Normalises URLs for comparison."""

from urllib.parse import urlsplit, urlunsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def normalize(url: str) -> str:
    """The same URL, lower-case host, without default port and fragment; "/" for no path.

    Path and query stay exactly as written, because only the site interprets them. Raises
    `ValueError` if the URL is not an absolute http or https one.
    """
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"not an absolute http(s) URL: {url!r}")
    # Only an IPv6 literal has colons; it needs its brackets.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return urlunsplit((parts.scheme, host + port, parts.path or "/", parts.query, ""))
