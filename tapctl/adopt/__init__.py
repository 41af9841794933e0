"""From what lives in a tenant to a file that declares it: `tapctl import`. Reads, never writes."""
