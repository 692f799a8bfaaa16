"""A sampler's generations on disk, so that an interrupted run goes on to the same bits."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from simulate.disk import open_regular
from simulate.errors import InputError, Where
from simulate.files import content_hash, parse_json, write_atomically
from simulate.inference.smc import Generation, Stage
from simulate.inference.target import Scores

_MARK = b"il1sim checkpoint 1 "


def save(path: Path, generation: Generation, key: str) -> None:
    """Write a generation; the file is whole at any moment.

    Parameters
    ----------
    path
        File, replaced if it exists.
    generation
        What to write.
    key
        Content hash of all that decides the run: evidence, priors, hypothesis, seeds, settings, versions.
    """
    numbers = {
        "key": key,
        "beta": generation.beta,
        "log_evidence": generation.log_evidence,
        "scale": generation.scale,
        "feasible": generation.feasible,
        "stages": [asdict(stage) for stage in generation.stages],
    }
    buffer = io.BytesIO()
    np.savez(
        buffer,
        points=generation.points,
        items=generation.scores.items,
        allowed=generation.scores.feasible,
        held=generation.held,
        numbers=np.frombuffer(json.dumps(numbers).encode(), dtype=np.uint8),
    )
    packed = buffer.getvalue()
    write_atomically(path, _head(packed) + packed)


def _head(packed: bytes) -> bytes:
    return _MARK + content_hash(packed).encode() + b"\n"


def load(path: Path, key: str) -> Generation | None:
    """Generation from a file that `save` wrote; None where there is none.

    Raises
    ------
    InputError
        ``inference.checkpoint``: the file is damaged, or belongs to another run.
    """
    where = Where(file=str(path))
    try:
        with open_regular(path) as file:
            head, packed = file.read(len(_head(b""))), file.read()
        if head != _head(packed):
            raise ValueError("its bytes are not those that were written")
        with np.load(io.BytesIO(packed), allow_pickle=False) as content:
            numbers = parse_json(content["numbers"].tobytes())
            generation = Generation(
                points=content["points"],
                scores=Scores(content["items"], content["allowed"]),
                held=content["held"],
                beta=float(numbers["beta"]),
                log_evidence=float(numbers["log_evidence"]),
                scale=float(numbers["scale"]),
                feasible=float(numbers["feasible"]),
                stages=tuple(Stage(**stage) for stage in numbers["stages"]),
            )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            "the checkpoint cannot be read",
            code="inference.checkpoint",
            where=where,
            found=str(error)[:100],
            advice="remove the file; the fit then begins anew",
        ) from error
    if numbers["key"] != key:
        raise InputError(
            "the checkpoint belongs to another fit",
            code="inference.checkpoint",
            where=where,
            found=f"key {numbers['key']}",
            expected=f"key {key}",
            advice="something that decides the result has changed since; remove the file, or choose another "
            "folder with --out",
        )
    return generation
