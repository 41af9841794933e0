"""The embedded tenant, by itself: plain HTTP clients against it, none of tapctl's own."""
