"""An SBML document: read by libSBML and checked, with its submodels flattened, and lines of the file for messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate.errors import InputError, Where, counted, optional
from simulate.exchange.sbml.xml import checked


def library() -> Any:
    """The package libSBML.

    Raises
    ------
    MissingExtra
        ``extra.sbml``: it is not installed.
    """
    return optional("libsbml", "reading SBML", "python-libsbml", "sbml")


_WITHOUT_INFLUENCE = ("layout", "render", "groups", "annot")
_KNOWN_PACKAGES = (*_WITHOUT_INFLUENCE, "comp", "fbc", "l3v2extendedmath")
_OF_A_PACKAGE = re.compile(r"The L3 package '(\w+?)(?:_L2)?' cannot be used|Level 3 Version \d Package (\w+)")


@dataclass(frozen=True, slots=True)
class SbmlModel:
    """A model as libSBML has it, without submodels.

    Attributes
    ----------
    lib, model
        The package libSBML, and its object of the model.
    path
        The file.
    has_lines
        Whether places have lines: not those in SBML that was made of another format.
    """

    lib: Any
    model: Any
    path: Path
    has_lines: bool = True

    @property
    def level(self) -> int:
        """Level of SBML."""
        return int(self.model.getLevel())

    def where(self, element: Any, key: str | None = None) -> Where:
        """Place of a part, which is named by its id."""
        named = key or (element.getIdAttribute() if hasattr(element, "getIdAttribute") else element.getId()) or None
        return Where(file=str(self.path), line=self.line(element), key=named)

    def line(self, element: Any) -> int | None:
        """Line of a part."""
        return (element.getLine() or None) if self.has_lines else None

    def refuse(self, what: str, code: str, element: Any, **more: Any) -> InputError:
        """The error ``sbml.{code}`` for a part."""
        return InputError(what, code=f"sbml.{code}", where=self.where(element), **more)


def open_sbml(path: Path) -> SbmlModel:
    """The model of a file; nothing else is read, but for submodels in files of the same folder.

    Raises
    ------
    InputError
        ``file.…``, ``xml.…``, ``sbml.syntax``, ``sbml.package``, ``sbml.comp``, ``sbml.external``.
    MissingExtra
        ``extra.sbml``.
    """
    content = checked(path)
    lib = library()
    document = _document(lib, content)
    _check_document(lib, document, str(path))
    return SbmlModel(lib, _flattened(lib, document, path), path)


def open_sbml_text(text: str, name: str) -> SbmlModel:
    """The model of a text that was made of another format, of the file ``name``. Else as `open_sbml`."""
    lib = library()
    document = lib.readSBMLFromString(text)
    _check_document(lib, document, name)
    return SbmlModel(lib, document.getModel(), Path(name), has_lines=False)


def all_of(group: Any) -> list[Any]:
    """Parts of a list of libSBML."""
    return [group.get(index) for index in range(group.size())] if group is not None else []


def references_of(reaction: Any) -> list[Any]:
    """What a reaction takes and makes: references to species."""
    return [*all_of(reaction.getListOfReactants()), *all_of(reaction.getListOfProducts())]


def local_parameters(law: Any) -> list[Any]:
    """Parameters that a kinetic law has for itself."""
    return all_of(law.getListOfLocalParameters() if law.getLevel() > 2 else law.getListOfParameters())


def refuse_unsolvable(file: SbmlModel) -> None:
    """Refuse a model that has no course in time, or no rate of its own.

    Raises
    ------
    InputError
        ``sbml.fast``, ``sbml.fbc``.
    """
    for reaction in all_of(file.model.getListOfReactions()):
        if reaction.isSetFast() and reaction.getFast():
            raise file.refuse(
                "the reaction is fast: it is to be in equilibrium at all times",
                "fast",
                reaction,
                advice="give it a rate that is high",
            )
    plugin = file.model.getPlugin("fbc")
    if plugin is not None and (plugin.getNumObjectives() or plugin.getNumFluxBounds()):
        raise InputError(
            "the model is one of flux balance, which asks for an optimum and has no course in time",
            code="sbml.fbc",
            where=Where(file=str(file.path)),
        )


def without_influence(model: Any) -> Iterator[str]:
    """What a model has that changes no number, in words."""
    if model.getNumConstraints():
        yield f"{model.getNumConstraints()} constraints, which say when results mean nothing"
    groups = (model.getListOfSpecies(), model.getListOfReactions(), model.getListOfParameters())
    annotated = sum(part.isSetAnnotation() for group in groups for part in all_of(group))
    annotated += int(model.isSetAnnotation())
    if annotated:
        yield f"annotations of {counted(annotated, 'part')}"
    if model.isSetNotes():
        yield "the notes of the model"
    if model.getNumUnitDefinitions():
        yield "units other than that of time: all quantities are pure numbers as in the file"
    for index in range(model.getNumPlugins()):
        package = model.getPlugin(index).getPackageName()
        if package in ("layout", "render", "groups"):
            yield f"what the package {package} says"


def _document(lib: Any, content: bytes) -> Any:
    return lib.readSBMLFromString(content.decode("utf-8", errors="replace"))


def _check_document(lib: Any, document: Any, name: str) -> None:
    """Refuse what is no sound SBML, has no model, or needs a package that is not known.

    What is wrong with drawings has no influence and is passed over, such as a package of Level 3 in a file of Level 2,
    and so is an encoding that is not said, which is UTF-8 in XML.
    """
    passed_over = (lib.RequiredPackagePresent, lib.UnrequiredPackagePresent, lib.MissingXMLEncoding)
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= lib.LIBSBML_SEV_ERROR:
            text = " ".join(error.getMessage().split())
            if error.getErrorId() in passed_over:
                continue
            package = _OF_A_PACKAGE.search(text)
            if package is not None and (package[1] or package[2]) in _WITHOUT_INFLUENCE:
                continue
            raise InputError(
                "the file is no sound SBML",
                code="sbml.syntax",
                where=Where(file=name, line=error.getLine() or None),
                found=_end(text),
            )
    if document.getModel() is None:
        raise InputError("the file has no model", code="sbml.syntax", where=Where(file=name))
    for index in range(document.getNumPlugins()):
        package = document.getPlugin(index).getPackageName()
        if package not in _KNOWN_PACKAGES and document.getPackageRequired(package):
            raise _package(package, name)
    for index in range(document.getNumUnknownPackages()):
        if document.getUnknownPackageRequired(index) if hasattr(document, "getUnknownPackageRequired") else True:
            raise _package(document.getUnknownPackageURI(index), name)


def _package(package: str, name: str) -> InputError:
    return InputError(
        f"the model needs the SBML package `{package}`",
        code="sbml.package",
        where=Where(file=name),
        expected="core SBML, or the package comp",
    )


def _flattened(lib: Any, document: Any, path: Path) -> Any:
    """The model of a document, its submodels written into it; other files are of the same folder."""
    if document.getPlugin("comp") is None:
        return document.getModel()
    _check_submodels(lib, document, path, set())
    document.setLocationURI(path.resolve().as_uri())
    properties = lib.ConversionProperties()
    properties.addOption("flatten comp", True)
    properties.addOption("performValidation", False)
    properties.addOption("leavePorts", False)
    properties.addOption("abortIfUnflattenable", "none")
    if document.convert(properties) != lib.LIBSBML_OPERATION_SUCCESS or document.getModel() is None:
        raise InputError(
            "the submodels cannot be written into one model", code="sbml.comp", where=Where(file=str(path))
        )
    return document.getModel()


def _check_submodels(lib: Any, document: Any, path: Path, seen: set[Path]) -> None:
    """Look through the files of submodels, and those of their submodels, before the library reads them."""
    plugin = document.getPlugin("comp")
    if plugin is None:
        return
    for index in range(plugin.getNumExternalModelDefinitions()):
        external = plugin.getExternalModelDefinition(index)
        source = external.getSource()
        target = (path.parent / source).resolve()
        where = Where(file=str(path), line=external.getLine() or None, key=external.getId())
        if "://" in source or target.parent != path.parent.resolve() or not target.is_file():
            raise InputError(
                "a submodel lies outside the folder of the file, or nowhere",
                code="sbml.external",
                where=where,
                found=source[:100],
                expected="a file in the same folder",
            )
        if target not in seen:
            seen.add(target)
            inner = _document(lib, checked(target))
            _check_submodels(lib, inner, target, seen)


def _end(text: str) -> str:
    """What is particular of a message: libSBML begins with the rule, and ends with what breaks it."""
    return text if len(text) <= 200 else f"... {text[-196:]}"
