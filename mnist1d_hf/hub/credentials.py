"""Which token speaks to the Hub, what it lacks, and texts in which it does not show."""

import os
import re
from collections.abc import Callable
from typing import Any, Final

import huggingface_hub

TOKENS_PAGE: Final = "https://huggingface.co/settings/tokens"


class Credentials:
    """The token that was given, or else the one that the Hub's client finds by itself.

    Args:
        given: The token, if one was passed as an argument.
    """

    def __init__(self, given: str | None) -> None:
        self._given = given

    def __bool__(self) -> bool:
        """Returns whether there is a token."""
        return bool(self._given or huggingface_hub.get_token())

    def remedy(self, status: int, repo_id: str, whoami: Callable[[], Any]) -> str:
        """Returns what a token lacks, and the remedy, after a reply with status 401 or 403; never the token itself.

        Args:
            status: The status.
            repo_id: What was asked for.
            whoami: The Hub's answer to whose token it is; raises a LookupError if it gives none.
        """
        if not self:
            return f"no token is set: run `hf auth login`, or set HF_TOKEN to a token of {TOKENS_PAGE}"
        if status == 401:
            return f"the token {self._origin()} is not valid here: make a new one at {TOKENS_PAGE}"
        return (
            f"the token {self._name(whoami)}{self._origin()} may not do this in {repo_id}: it needs the role "
            f'"write" for {repo_id.partition("/")[0]!r}; change it at {TOKENS_PAGE}'
        )

    def without_tokens(self, text: str) -> str:
        """Returns the text, with whatever is or looks like a token made unreadable."""
        for token in (self._given, huggingface_hub.get_token()):
            if token:
                text = text.replace(token, "hf_***")
        return re.sub(r"\bhf_[A-Za-z0-9]{8,}", "hf_***", text)

    def _origin(self) -> str:
        if self._given:
            return "passed as token="
        named = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
        return "in HF_TOKEN" if named else "saved by `hf auth login`"

    def _name(self, whoami: Callable[[], Any]) -> str:
        """Returns the token's display name and role, as its owner knows it."""
        try:
            token = whoami()["auth"]["accessToken"]
            return self.without_tokens(f'"{token["displayName"]}" (role "{token["role"]}") ')
        except (LookupError, TypeError):
            return ""
