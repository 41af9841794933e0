"""What a handler is given: the request, the tenant, the switches, and who asks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.errors import Service, bad_request
from tapctl.sandbox.state import Store
from tapctl.sandbox.tokens import Actor
from tapctl.sandbox.wire import Call, JSONObject

ZERO_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request on its way to its answer."""

    call: Call
    parameters: Mapping[str, str]
    """What the path holds in the places of the route's braces."""
    options: Mapping[str, str]
    """The query options, OData's with their `$`."""
    store: Store
    behaviour: Behaviour
    actor: Actor
    now: datetime
    service: Service
    tenant_id: str

    def context(self, fragment: str) -> str:
        return f"{self.call.base}/{self.call.version}/$metadata#{fragment}"

    def stamp(self) -> str:
        """Now, as Graph writes it: seven fractional digits and Z."""
        return stamp(self.now)

    def body(self) -> JSONObject:
        """The request's JSON object.

        Raises:
            GraphError: 400, there is none.
        """
        if not isinstance(self.call.body, dict):
            raise bad_request("Empty Payload. JSON content expected.", self.service)
        return self.call.body

    def refuse(self, message: str) -> Exception:
        return bad_request(message, self.service)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def new_id() -> str:
    return str(uuid.uuid4())


def is_guid(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def without_annotations(body: Mapping[str, object]) -> JSONObject:
    """The body's own properties: `@odata.type` and the like left out, `members@odata.bind` kept."""
    return {name: value for name, value in body.items() if "@odata." not in name or name.endswith("@odata.bind")}


def as_kept(value: object) -> Any:
    """A value of the request as it is kept: an annotation of a property is a hint for reading it and no part of it."""
    if isinstance(value, list):
        return [as_kept(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: as_kept(item) for name, item in value.items() if "@odata." not in name or name == "@odata.type"}
