"""One module for each resource kind, all with the same parts: what to read, how to decode, compare and encode, the
writes of a change. Wire JSON ends here. Kinds do no input or output: they yield requests and receive the answers."""
