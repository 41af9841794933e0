"""The first repository of a new user: what `tapctl init` writes, as templates, and the writing of it."""
