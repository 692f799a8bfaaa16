"""HTML that stands alone: no scripts, no network, every text escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

import sympy
from sympy.printing.mathml import MathMLPresentationPrinter

from simulate.symbolic.display import Equation

_STYLE = """
body { font: 16px/1.5 Georgia, serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, th, caption { font-family: Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; border-bottom: 1px solid #8c8c8c; margin-top: 2.5rem; }
h3 { font-size: 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.7rem 0.2rem 0; border-bottom: 1px solid #dddddd; }
td.number { text-align: right; white-space: nowrap; }
table.lines td { white-space: pre; } table.lines td:first-child, table.lines th { white-space: normal; }
table.lines td:not(:first-child), table.lines thead th:not(:first-child) { text-align: right; }
td.under-1 { padding-left: 2ch; } td.under-2 { padding-left: 4ch; }
summary { font-size: 0.85rem; cursor: pointer; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; } figcaption { font-size: 0.85rem; color: #444444; }
.missing { background: #fff3d6; padding: 0 0.3rem; } .equations math { math-style: normal; }
.equations td { border: 0; padding: 0.1rem 0.7rem 0.1rem 0; }
@media print {
body { max-width: none; margin: 0; padding: 0; } h3 { break-after: avoid; }
table { display: table; font-size: 0.5rem; }
th, td { padding-right: 0.3rem; } td { overflow-wrap: break-word; }
h2 { break-after: avoid; } figure, tr { break-inside: avoid; }
}
"""

_ENLARGED = 1.5
"""Times as large as on paper, at which letters of 7 points are as large on a screen as those of tables."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, body: Iterable[str]) -> str:
    """A whole document; the parts of the body are HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def escaped(text: object) -> str:
    """Text as HTML shows it; control characters are left out, as no document may hold them."""
    shown = "".join(letter for letter in str(text) if letter.isprintable() or letter in "\n\t")
    return html.escape(shown, quote=True)


def section(title: str, *parts: str, level: int = 2) -> str:
    """A heading and what stands below it."""
    return "\n".join([f"<h{level}>{escaped(title)}</h{level}>", *parts])


def paragraph(text: object) -> str:
    """A paragraph of plain text."""
    return f"<p>{escaped(text)}</p>"


def missing(text: str) -> str:
    """A paragraph that says that something was not stated."""
    return f'<p><span class="missing">{escaped(text)}</span></p>'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain texts; cells that are numbers stand to the right."""
    head = "".join(f"<th>{escaped(heading)}</th>" for heading in headings)
    lines = []
    for row in rows:
        cells = (
            f'<td class="number">{escaped(cell)}</td>' if _is_number(cell) else f"<td>{escaped(cell)}</td>"
            for cell in row
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody>\n</table>"


def lines_table(what: str, headings: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of lines with a label, indented below what it belongs to; cells may have several lines."""
    head = "".join(f"<th>{escaped(heading)}</th>" for heading in (what, *headings))
    rows = []
    for label, *cells in lines:
        texts = "".join(f"<td>{escaped(cell)}</td>" for cell in cells)
        depth = (len(label) - len(label.lstrip())) // 2
        own = f'<td class="under-{depth}">' if any(cells) else "<th>"
        rows.append(f"<tr>{own}{escaped(label.strip())}</{own[1:3]}>{texts}</tr>")
    return (
        f'<table class="lines">\n<thead><tr>{head}</tr></thead>\n<tbody>\n' + "\n".join(rows) + "\n</tbody>\n</table>"
    )


def folded(title: str, *parts: str) -> str:
    """What is opened by a click on its title."""
    return "\n".join([f"<details>\n<summary>{escaped(title)}</summary>", *parts, "</details>"])


def picture(content: bytes, caption: str) -> str:
    """A PNG within the document, with its caption: a fixed multiple of its own width, and no wider than the page."""
    width = _width(content)
    size = "" if width is None else f' width="{width}"'
    data = base64.b64encode(content).decode("ascii")
    text = escaped(caption)
    return (
        f'<figure>\n<img alt="{text}"{size} src="data:image/png;base64,{data}">\n'
        f"<figcaption>{text}</figcaption>\n</figure>"
    )


def _width(content: bytes) -> int | None:
    """Width on a screen of a PNG, in 1/96 of an inch; None where it does not say how many of its points are a meter."""
    place = content.find(b"pHYs", 0, 1024)
    if place < 0 or len(content) < place + 13:
        return None
    points, per_meter = int.from_bytes(content[16:20]), int.from_bytes(content[place + 4 : place + 8])
    return round(_ENLARGED * 96.0 * points / per_meter / 0.0254) if per_meter > 0 and content[place + 12] == 1 else None


def equations(lines: Sequence[Equation]) -> str:
    """Lines of a model as MathML, which a browser sets without help."""
    rows = []
    for line in lines:
        right = mathml(line.right)
        formula = f'<math display="inline"><mrow>{_left(line.left)}<mo>=</mo>{right}</mrow></math>'
        rows.append(f"<tr><td>{formula}</td><td>{escaped('' if line.unit == '1' else line.unit)}</td></tr>")
    return '<table class="equations">\n' + "\n".join(rows) + "\n</table>"


def mathml(expression: sympy.Expr) -> str:
    """An expression as presentation MathML with numeric entities only; multiplication is a dot."""
    text: str = MathMLPresentationPrinter({"mul_symbol_mathml_numbers": "&#183;"}).doprint(expression)
    text = (
        text.replace("&InvisibleTimes;", "&#8901;").replace("&ExponentialE;", "e").replace("&ApplyFunction;", "&#8289;")
    )
    return text


def _left(text: str) -> str:
    if text.startswith("d") and text.endswith("/dt"):
        name = mathml(sympy.Symbol(text[1:-3]))
        return f"<mfrac><mrow><mi>d</mi>{name}</mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac>"
    if text.endswith("(0)"):
        return f"{mathml(sympy.Symbol(text[:-3]))}<mo>(</mo><mn>0</mn><mo>)</mo>"
    return mathml(sympy.Symbol(text)) if text.isidentifier() else f"<mtext>{escaped(text)}</mtext>"


def _is_number(cell: object) -> bool:
    try:
        float(str(cell).replace("−", "-"))
    except ValueError:
        return False
    return True
