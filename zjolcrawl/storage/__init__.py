"""MongoDB storage: schema, writes, versions, frontier, leases and queries."""
