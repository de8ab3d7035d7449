"""Dialects of CreateModelService and ModifySecurityIps: tokens, defaults, what takes effect."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_SECONDS = 60.0
MODIFY_SECONDS = 2.0


@dataclass(frozen=True)
class Creation:
    """What a create or an edit of a whitelist does."""

    names: frozenset[str]

    def honours_token(self) -> bool:
        """Does a ClientToken count at all?"""
        return "tokens-ignored" not in self.names

    def replays(self, age_seconds: float, *, alive: bool) -> bool:
        """Does a token of this age, whose service may be gone, answer its id again?"""
        if "tokens-forget-dead" in self.names:
            return alive
        return "tokens-forgotten" not in self.names or age_seconds < TOKEN_SECONDS

    def default_whitelist(self, usual: tuple[str, ...]) -> tuple[str, ...]:
        """Return the list of a service created without one."""
        if "whitelist-open-default" in self.names:
            return ("0.0.0.0/0",)
        return () if "whitelist-empty-default" in self.names else usual

    def modify_reaches(self) -> bool:
        """Does an edit of a whitelist group reach services?"""
        return "modify-not-reaching" not in self.names

    def modify_seconds(self) -> float:
        """Return the time until reads show an edited whitelist."""
        return MODIFY_SECONDS if "modify-slow" in self.names else 0.0
