"""One thin module a command: options, one call, render, exit code."""
