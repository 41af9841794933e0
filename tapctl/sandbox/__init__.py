"""The embedded tenant: an ASGI application that behaves like Microsoft Graph, its state in one local file.

It stands alone. It shares no codec with the client, so that it cannot agree with the client's bugs, and it answers
"not emulated" to what it does not know. `README.md` beside this file lists every call, switch and fault.
"""
