"""The pages, one module each: from a request to the variables of its template."""
