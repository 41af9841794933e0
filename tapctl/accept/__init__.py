"""Writing live values into a tenant's own files, by position, so that nothing else of the text changes."""
