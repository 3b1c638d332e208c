"""One file a page: from a request to what its template shows."""
