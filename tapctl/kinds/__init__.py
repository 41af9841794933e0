"""One module a resource kind, all of one shape: what to read, how to decode, compare and encode, the writes of a
change. Wire JSON ends here. Kinds do no input or output: they yield requests and are resumed with answers."""
