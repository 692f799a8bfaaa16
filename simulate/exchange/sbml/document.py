"""SBML documents: read by libSBML, checked, and written into one model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simulate.errors import InputError, MissingExtra, Where
from simulate.exchange.sbml.xml import checked


def library() -> Any:
    """The package libSBML.

    Raises
    ------
    MissingExtra
        ``extra.sbml``: it is not installed.
    """
    try:
        import libsbml
    except ImportError:
        raise MissingExtra(
            "reading SBML needs the package python-libsbml",
            code="extra.sbml",
            expected="python-libsbml",
            advice='pip install "il1sim[sbml]"',
        ) from None
    return libsbml


_WITHOUT_INFLUENCE = ("layout", "render", "groups", "annot")
_KNOWN_PACKAGES = (*_WITHOUT_INFLUENCE, "comp", "fbc", "l3v2extendedmath")
_OF_A_PACKAGE = re.compile(r"The L3 package '(\w+?)(?:_L2)?' cannot be used|Level 3 Version \d Package (\w+)")


def check_document(lib: Any, document: Any, name: str) -> None:
    """Refuse what is no sound SBML, has no model, or needs a package that is not known.

    What is wrong with drawings has no influence and is passed over, such as a package of Level 3 in a file of Level 2.

    Raises
    ------
    InputError
        ``sbml.syntax``, ``sbml.package``.
    """
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= lib.LIBSBML_SEV_ERROR:
            text = " ".join(error.getMessage().split())
            if error.getErrorId() in (lib.RequiredPackagePresent, lib.UnrequiredPackagePresent):
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


def flattened(lib: Any, document: Any, path: Path) -> Any:
    """The model of a document, its submodels written into it; other files are of the same folder.

    Raises
    ------
    InputError
        ``sbml.comp``, ``sbml.external``.
    """
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
            inner = lib.readSBMLFromString(checked(target).decode("utf-8", errors="replace"))
            _check_submodels(lib, inner, target, seen)


def _end(text: str) -> str:
    """What is particular of a message: libSBML begins with the rule, and ends with what breaks it."""
    return text if len(text) <= 200 else f"... {text[-196:]}"
