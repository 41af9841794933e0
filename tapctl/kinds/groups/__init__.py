"""Target groups (Entra). Sources: Graph reference `group`, `group-upsert`, `group-post-members`, `group-list-members`
(checked 2026-11-22): a group is found by the alternate key `uniqueName`, which tapctl sets when it creates one."""

from tapctl.kinds.groups.comparing import identity_finding, kept_members, plan, unresolved
from tapctl.kinds.groups.finding import (
    READ_PERMISSION,
    by_id,
    decode,
    decode_member,
    read,
    read_all,
    read_few_members,
    read_members,
)
from tapctl.kinds.groups.looking_up import read_names, read_parents, read_people
from tapctl.kinds.groups.writing import mail_nickname

__all__ = [
    "READ_PERMISSION",
    "by_id",
    "decode",
    "decode_member",
    "identity_finding",
    "kept_members",
    "mail_nickname",
    "plan",
    "read",
    "read_all",
    "read_few_members",
    "read_members",
    "read_names",
    "read_parents",
    "read_people",
    "unresolved",
]
