"""What a visitor may do: one answer for pages, callbacks and HTTP routes.

What is decided here is checked where something is done; pages also hide what would be refused.
Without sign-in and without `MOMALISA_VISITORS` only browsers on this machine are let in
(`ui/http/hosts.py`), and they may do everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from momalisa.errors import MomaLisaError
from momalisa.settings import Settings, split_list


class Action(StrEnum):
    """What is asked for."""

    VIEW = "view"
    """See films and their labels, compare and download them."""
    MAKE = "make"
    """Submit walks; ask a worker for single pictures; import settings."""
    ANNOTATE = "annotate"
    """Change title, tags, star and notes."""
    VOTE = "vote"
    """Vote blind."""
    DELETE = "delete"
    """Cancel a walk, delete a film."""
    ADMINISTER = "administer"
    """Read what is wrong with the machines and the app, which may name folders and buckets."""


@dataclass(frozen=True)
class Rights:
    """The actions that a role may take: on every walk, and only on those the visitor made."""

    everywhere: frozenset[Action]
    own: frozenset[Action] = frozenset()


LOOK = frozenset({Action.VIEW})
TAKE_PART = frozenset({Action.VIEW, Action.MAKE, Action.VOTE})
RIGHTS = {
    "none": Rights(frozenset()),
    "view": Rights(LOOK),
    "make": Rights(TAKE_PART, frozenset({Action.ANNOTATE, Action.DELETE})),
    "member": Rights(TAKE_PART | {Action.ANNOTATE}, frozenset({Action.DELETE})),
    "all": Rights(frozenset(Action)),
}
"""Rights by role. All but `member`, who has signed in, are values of `MOMALISA_VISITORS`."""


@dataclass(frozen=True)
class Visitor:
    """A visitor: a role, and the pseudonymous id under which their walks are stored."""

    role: str
    maker: str = ""


class NotAllowed(MomaLisaError):
    """The visitor may not do this."""


REFUSED = {
    Action.VIEW: "The gallery is for members: please sign in.",
    Action.MAKE: "Walks are made by members: please sign in.",
    Action.VOTE: "Members vote: please sign in.",
    Action.ANNOTATE: "Labels are written by members: please sign in.",
    Action.DELETE: "Only its maker or an admin can do that.",
    Action.ADMINISTER: "Only an admin can do that.",
}
"""What a refused visitor is told."""


def role_of(claims: Mapping[str, Any] | None, *, sign_in: bool, settings: Settings) -> str:
    """The role of a visitor, from the claims of their ID token; None if they are not signed in.

    `sign_in` is whether sign-in is configured.
    """
    if claims is not None:
        return "all" if is_admin(claims, settings.admins) else "member"
    return settings.visitors or ("view" if sign_in else "all")


def is_admin(claims: Mapping[str, Any], admins: str) -> bool:
    """Whether an account is in the list: as `issuer|subject`, or by e-mail address if verified.

    A provider that lets people enter any address, and does not say that it has verified it, must
    not make them admins.
    """
    listed = split_list(admins)
    if account_name(claims) in listed:
        return True
    verified = str(claims.get("email_verified", False)).lower() == "true"
    email = str(claims.get("email") or "")
    return verified and "@" in email and _ascii_lower(email) in map(_ascii_lower, listed)


def _ascii_lower(text: str) -> str:
    """Small letters for A to Z only: Unicode's rules take different addresses for the same."""
    return text.encode().lower().decode()


def account_name(claims: Mapping[str, Any]) -> str:
    """The account as `MOMALISA_ADMINS` names it; unique, unlike names and e-mail addresses."""
    return f"{claims.get('iss', '')}|{claims.get('sub', '')}"


def allows(visitor: Visitor, action: Action, maker: str | None = None) -> bool:
    """Whether a visitor may take an action, on a walk by this maker if it concerns one."""
    rights = RIGHTS[visitor.role]
    is_own = maker is not None and bool(visitor.maker) and maker == visitor.maker
    return action in rights.everywhere or (is_own and action in rights.own)


def require(visitor: Visitor, action: Action, maker: str | None = None) -> None:
    """Raise NotAllowed, with a sentence for the visitor, unless `allows` is true."""
    if not allows(visitor, action, maker):
        raise NotAllowed(REFUSED[action])
