"""The sandbox under clients that know nothing of it: Microsoft's typed SDKs, and exchanges as Graph documents them."""
