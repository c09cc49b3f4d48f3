"""Works of art in museums' open collections: search, records, pictures."""
