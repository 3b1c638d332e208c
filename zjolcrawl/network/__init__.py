"""Scrapy's download handlers and resolver, with host leases, certificates and address checks."""
