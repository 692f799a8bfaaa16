"""Provenance: the arguments of a verb and the files that it read, from which the same can be asked again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from simulate.files import content_hash
from simulate.inputs import noted
from simulate.native import fingerprint
from simulate.store import check_target
from simulate.studies.settings import Setting
from simulate.versions import versions

UNASKED = frozenset({"out", "force", "figures", "threads", "workers", "scheduler", "progress", "report"})
"""Arguments that decide nothing of what comes out."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The arguments of a verb, and the files that it read."""

    verb: str  #: Its name
    arguments: Mapping[str, Any]  #: Those of its function that decide what comes out, as JSON has them
    #: Files that were read: name → content, as `simulate.inputs` names them; those that are read later as well.
    inputs: Mapping[str, bytes]
    key: str  #: Content hash of all that decides the result; a directory of the same key says the same


def asked(
    verb: str, arguments: Mapping[str, object], *, key: str | None = None, out: Path | str | None, force: bool
) -> Provenance:
    """What a verb is asked, once all is read that it reads; and a look at where it is to be written, before any work.

    ``arguments`` are all of its function; ``key`` is a content hash of all that decides the result, if the verb knows
    better than arguments and files.
    """
    plain = {name: plain_value(value) for name, value in arguments.items() if name not in UNASKED}
    inputs = noted()
    if key is None:
        hashes = {name: content_hash(content) for name, content in sorted(inputs.items())}
        decisive = json.dumps([verb, plain, hashes, versions()], sort_keys=True)
        key = content_hash("provenance 1", decisive, fingerprint())
    if out is not None:
        check_target(Path(out), key=key, force=force)
    return Provenance(verb, plain, inputs, key)


def plain_value(value: object) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Setting):
        return [value.key, value.value, value.origin]
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_value(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
