"""COMBINE archives: a model in SBML, its simulation in SED-ML and a table of contents, in one file for other programs.

F. T. Bergmann et al., BMC Bioinformatics 15 (2014) 369 (OMEX); L. P. Smith et al., J. Integr. Bioinform. 18 (2021)
20210021 (SED-ML, Level 1 Version 4).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from simulate.exchange.sbml.annotations import About
from simulate.exchange.sbml.writing import is_species, sbml_text
from simulate.solver.problem import Tolerance
from simulate.symbolic.model import Model

SUFFIX = ".omex"
MODEL, SIMULATION, MANIFEST = "model.xml", "simulation.sedml", "manifest.xml"

_FORMATS = "http://identifiers.org/combine.specifications/"
_SBML = "http://www.sbml.org/sbml/level3/version2/core"
_CVODE, _RELATIVE, _ABSOLUTE = "KISAO:0000019", "KISAO:0000209", "KISAO:0000211"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def is_archive(path: Path | str) -> bool:
    """Whether the name of a file is that of a COMBINE archive."""
    return Path(path).suffix.lower() == SUFFIX


def archive(
    model: Model, end: float, steps: int, quantities: Sequence[str], rtol: float, about: About | None = None
) -> bytes:
    """Archive with a composed model and one time course of it; the same bytes for the same arguments.

    Parameters
    ----------
    end, steps
        Time of the last output, days, and number of equal steps from 0 to there.
    quantities
        States and observables that are recorded and drawn.
    rtol
        Relative tolerance.
    about
        What is known of the model.
    """
    files = {
        MANIFEST: _manifest(),
        MODEL: sbml_text(model, about),
        SIMULATION: "\n".join(_sedml(model, end, steps, quantities, rtol)) + "\n",
    }
    content = io.BytesIO()
    # Stored as they are: no compressor and no clock has a say in the bytes.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as target:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            target.writestr(entry, text.encode())
    return content.getvalue()


def _sedml(model: Model, end: float, steps: int, quantities: Sequence[str], rtol: float) -> Iterator[str]:
    """SED-ML of one time course of the model, with a table and a figure of it; arguments as `archive`."""
    labels = {part.name: f"{part.meaning or part.name} ({part.unit.text})" for part in model.species}
    labels |= {part.name: f"{part.meaning or part.name} ({part.unit.text})" for part in model.observables}
    species = {part.name for part in model.species if is_species(part)}
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<sedML xmlns="http://sed-ml.org/sed-ml/level1/version4" level="1" version="4"'
    yield f' xmlns:sbml="{_SBML}">'
    yield "<listOfModels>"
    yield f'<model id="model" name={quoteattr(model.title or model.name)} source="{MODEL}"'
    yield ' language="urn:sedml:language:sbml.level-3.version-2"/>'
    yield "</listOfModels>"
    yield "<listOfSimulations>"
    yield '<uniformTimeCourse id="course" initialTime="0" outputStartTime="0"'
    yield f' outputEndTime="{float(end)!r}" numberOfSteps="{steps}">'
    yield f'<algorithm kisaoID="{_CVODE}"><listOfAlgorithmParameters>'
    yield f'<algorithmParameter kisaoID="{_RELATIVE}" value="{rtol!r}"/>'
    yield f'<algorithmParameter kisaoID="{_ABSOLUTE}" value="{Tolerance(rtol).share!r}"/>'
    yield "</listOfAlgorithmParameters></algorithm>"
    yield "</uniformTimeCourse>"
    yield "</listOfSimulations>"
    yield '<listOfTasks><task id="task" modelReference="model" simulationReference="course"/></listOfTasks>'
    yield "<listOfDataGenerators>"
    yield _generator("time", "time (d)", 'symbol="urn:sedml:symbol:time"')
    for name in quantities:
        kind, container = ("species", "listOfSpecies") if name in species else ("parameter", "listOfParameters")
        target = f"/sbml:sbml/sbml:model/sbml:{container}/sbml:{kind}[@id='{name}']"
        yield _generator(_of(name), labels[name], f"target={quoteattr(target)}")
    yield "</listOfDataGenerators>"
    yield "<listOfOutputs>"
    yield '<report id="table" name="every quantity at every time"><listOfDataSets>'
    for name in ("time", *quantities):
        reference = "time" if name == "time" else _of(name)
        yield f'<dataSet id="set_{reference}" label={quoteattr(name)} dataReference="{reference}"/>'
    yield "</listOfDataSets></report>"
    yield '<plot2D id="figure" name="every quantity over time"><listOfCurves>'
    for name in quantities:
        reference = _of(name)
        yield f'<curve id="curve_{reference}" name={quoteattr(name)} type="points" xDataReference="time"'
        yield f' yDataReference="{reference}"/>'
    yield "</listOfCurves></plot2D>"
    yield "</listOfOutputs>"
    yield "</sedML>"


def _of(name: str) -> str:
    """Identifier of the data of a quantity; the names of a model may be those of other things here."""
    return f"of_{name}"


def _generator(identifier: str, name: str, place: str) -> str:
    variable = f"value_{identifier}"
    math = f'<math xmlns="http://www.w3.org/1998/Math/MathML"><ci>{escape(variable)}</ci></math>'
    return (
        f'<dataGenerator id="{identifier}" name={quoteattr(name)}><listOfVariables>'
        f'<variable id="{variable}" {place} taskReference="task"/></listOfVariables>{math}</dataGenerator>'
    )


def _manifest() -> str:
    rows = (
        (".", "omex", ""),
        (f"./{MANIFEST}", "omex-manifest", ""),
        (f"./{MODEL}", "sbml.level-3.version-2", ""),
        (f"./{SIMULATION}", "sed-ml.level-1.version-4", ' master="true"'),
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<omexManifest xmlns="{_FORMATS}omex-manifest">']
    lines += [f'<content location="{place}" format="{_FORMATS}{kind}"{more}/>' for place, kind, more in rows]
    return "\n".join([*lines, "</omexManifest>"]) + "\n"
