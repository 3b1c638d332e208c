"""WARC and WACZ: writes every response as received, indexes it, and reads it back."""
