"""A study's protocol in Markdown: a text, or a file beside the study that is read when somebody asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightning_module.studies.framework.study_folder import STUDY


@dataclass(frozen=True)
class ProtocolFile:
    """The Markdown file beside a study: `protocol.md` of `study.py`, `NAME_protocol.md` of any other `NAME.py`.

    Attributes:
        study: The study's own file: `__file__`.
        numbers: Values for the names in braces that the file has, such as `{epochs}`, so that each number has one
            place; a file without such names may have braces of its own.
    """

    study: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Returns where the file is."""
        study = Path(self.study)
        return study.with_name("protocol.md" if study.stem == STUDY else f"{study.stem}_protocol.md")

    def read(self) -> str:
        """Returns the text.

        Raises:
            ValueError: If it has a name in braces that there is no number for.
        """
        text = self.path.read_text(encoding="utf-8")
        if not self.numbers:
            return text
        try:
            return text.format_map(self.numbers)
        except KeyError as error:
            known = ", ".join(self.numbers)
            raise ValueError(f"{self.path}: {{{error.args[0]}}} must be one of {known}; add it to `numbers`") from error


class ProtocolText:
    """A field of a dataclass that is given as a text or a `ProtocolFile`, and is always the text when it is read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._kept = f"_{name}"

    def __get__(self, instance: object | None, owner: type) -> str:
        if instance is None:  # by which dataclasses find the default
            return ""
        kept = getattr(instance, self._kept)
        return kept.read() if isinstance(kept, ProtocolFile) else kept

    def __set__(self, instance: object, value: str | ProtocolFile) -> None:
        object.__setattr__(instance, self._kept, value)  # the dataclass may be a frozen one
