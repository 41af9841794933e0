"""The embedded tenant: an ASGI application that behaves like Microsoft Graph, its state in one local file.

It stands alone. It shares no codec with the client, so that it cannot agree with the client's bugs, and it answers
"not emulated" to what it does not know. `README.md` beside this file lists every call, switch and fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tapctl.sandbox.tenant import Sandbox


def serve(sandbox: Sandbox, *, port: int = 0) -> None:
    """Serve a sandbox on 127.0.0.1 until interrupted; port 0 takes a free one. Prints the base URL to stderr."""
    from tapctl.sandbox.server import serve as run

    run(sandbox, port=port)
