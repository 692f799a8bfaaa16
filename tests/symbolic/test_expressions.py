from __future__ import annotations

import time
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational, Symbol, symbols

from simulate.errors import InputError, Where
from simulate.symbolic.expressions import as_expression, hill, parse_expression, print_expression, substitute
from simulate.symbolic.functions import FUNCTIONS, parts_of
from simulate.symbolic.naming import FUNCTION_NAMES
from simulate.symbolic.parts import Parameter
from simulate.symbolic.symbols import at_baseline
from tests.symbolic.small import output

x, y, n, K, X = symbols("x y n K X")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("k*X", Symbol("k") * X),
        ("-x**2", -(x**2)),
        ("2**-1", Rational(1, 2)),
        ("x**y**2", x ** (y**2)),
        ("x/y/n", x / (y * n)),
        ("x - y - n", x - y - n),
        ("0.1", Rational(1, 10)),
        ("1e-3*x", x / 1000),
        (".5 + 2.", Rational(5, 2)),
        ("+x", x),
        ("--x", x),
        ("hill(x, K, n)", x**n / (K**n + x**n)),
        ("sqrt(x) + exp(-x)*log(y)", sympy.sqrt(x) + sympy.exp(-x) * sympy.log(y)),
        ("at_baseline(x + y)", at_baseline(x + y)),
        ("min(x, min(y, 1), 2)", sympy.Min(x, y, 1)),
        ("x\n  + y", x + y),
    ],
)
def test_text_means_what_python_would(text: str, expression: sympy.Expr) -> None:
    assert parse_expression(text) == expression


@pytest.mark.parametrize("name", ["S", "I", "E", "N", "pi", "Q", "O", "beta", "gamma", "zeta", "oo", "nan", "t"])
def test_every_name_is_a_plain_symbol(name: str) -> None:
    assert parse_expression(name) == Symbol(name)


def test_the_absolute_value_of_an_exponential_stays_real() -> None:
    assert parse_expression("abs(exp(x))") == sympy.Abs(sympy.exp(x), evaluate=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("X*k_out - k_in", "k_out*X - k_in"),
        ("-X*k", "-k*X"),
        ("0.50*x/(y*(n+1))", "0.5*x/(y*(1 + n))"),
        ("2*x/3/(y+1)", "2*x/3/(1 + y)"),
        ("1/x**n", "1/x**n"),
        ("1e-9*x", "1e-9*x"),
        ("120000000000000000000*x", "12e19*x"),
        ("x**(1/3)", "x**(1/3)"),
        ("exp(1)", "exp(1)"),
        ("max(y, x, 0)", "max(0, x, y)"),
    ],
)
def test_printing_has_an_order_of_its_own(text: str, shown: str) -> None:
    assert print_expression(parse_expression(text)) == shown


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(inner, st.sampled_from(["2", "-1", "0.5", "n", "(1/3)", "-n"])).map(
            lambda parts: "({})**{}".format(*parts)
        ),
        st.tuples(st.sampled_from(["exp", "log", "sqrt", "tanh", "abs", "at_baseline", "-"]), inner).map(
            lambda parts: "{}({})".format(*parts)
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda parts: "{}({}, {})".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "hill({}, {}, n)".format(*parts)),
    )


TEXTS = st.recursive(
    st.sampled_from(["x", "y", "n", "K_m", "X", "0", "1", "2", "0.1", "7.5", "1e-6", "3"]), _grow, max_leaves=12
)


def reading(text: str) -> sympy.Expr | str:
    """The expression that a text says, or the code of its fault."""
    try:
        return parse_expression(text)
    except InputError as error:
        return error.code


@settings(max_examples=400)
@given(TEXTS)
def test_what_is_printed_reads_back_the_same(text: str) -> None:
    expression = reading(text)
    if isinstance(expression, str):
        assert expression in ("expression.undefined", "expression.power")  # 1/0, log(-1), 9**9**9
    else:
        assert parse_expression(print_expression(expression)) == expression


@given(st.one_of(st.text(max_size=60), st.text("xyn0123456789.eE+-*/()^, \nabsmxin", max_size=60)))
def test_arbitrary_text_is_an_expression_or_an_input_error(text: str) -> None:
    expression = reading(text)
    assert (expression if isinstance(expression, str) else f"expression.{print_expression(expression)}")[
        :11
    ] == "expression."


HOSTILE = [
    "__import__('os').system('x')",
    "().__class__",
    "lambda: 0",
    "[x for x in y]",
    "x if y else n",
    "x.diff(y)",
    "'a'*9",
    "9**9**9",
    "9**9**9**9",
    "-" * 100_000,
    "-" * 9_000 + "x",
    "(" * 100_000,
    "(" * 5_000 + "x" + ")" * 5_000,
    "\u0445*2",  # Cyrillic ha, looks like x
    "x\u00d72",  # multiplication sign
    "x\u2009+\u2009y",  # thin spaces
    "\uff58+1",  # full-width x
    "x\u200b",  # zero-width space
    "\U0001d7cf",  # mathematical digit one
    "\u0661",  # Arabic digit one
    "exp(exp(exp(9)))",
    "x**1e9",
    "(9*x)**100000",
    "(9*x)**999",
    "2**x*2**(1000000000 - x)",
    "exp(1000000000*log(9))",
    "1.0000000001**1e9",
    "1e400",
    "1e-400",
    "9" * 5_000,
    "1_000",
    "0x10",
    "1j",
    "hill(" * 60 + "x" + ",K,n)" * 60,
    "*".join(["9e299"] * 1_400),
    "(" * 45 + "x" + "*2)**2" * 45,
    "/".join(["x"] * 3_000),
    "max(" + ",".join(["x"] * 5_000) + ")",
    "import os",
    "x = 2",
    "x == 2",
    "x := 2",
    "x; y",
    "x # y",
    "x\\",
    "f'{x}'",
    "\x00",
    "None",
    "a" * 200,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:24]))
def test_a_hostile_text_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        parse_expression(text)
    assert caught.value.code.startswith("expression.")
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize(
    "text",
    [
        "max(" * 90 + "x" + ", 2*y)" * 90,
        "tanh(" * 90 + "x + y" + " + y)" * 90,
        "abs(" * 90 + "x + y" + " + y)" * 90,
        "+".join(f"a{number}" for number in range(1400)),
        "*".join(f"(a{number} + 1)" for number in range(900)),
        "(x + 1)**" * 50 + "2",
        "sqrt(" * 95 + "x" + "*3)" * 95,
        "**".join(["x"] * 99),
    ],
    ids=lambda text: text[:12],
)
def test_a_large_text_is_read_and_printed_in_a_moment(text: str) -> None:
    start = time.process_time()
    assert len(print_expression(parse_expression(text))) > 8
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "k*X +* Y",
            "error[expression.syntax]: unexpected `*` (column 6 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `k*X +* Y`\n"
            "  expected: a number, a name or `(`",
        ),
        (
            "2 x",
            "error[expression.syntax]: unexpected `x` (column 3 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `2 x`\n"
            "  expected: an operator or the end\n"
            "  try:      write `*` between factors",
        ),
        (
            "x\n +\n x^2",
            "error[expression.character]: the character `^` cannot stand in an expression"
            " (line 3, column 3 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `x + x^2`\n"
            "  try:      write powers as `**`",
        ),
        (
            "expp(x)",
            "error[expression.function]: `expp` is not a function (column 1 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `expp(x)`\n"
            "  expected: exp log sqrt tanh abs min max hill at_baseline "
            "sin cos tan asin acos atan floor ceil piecewise\n"
            "  try:      did you mean `exp`?",
        ),
        (
            "hill(x, K)",
            "error[expression.arguments]: `hill` has 2 arguments (column 1 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `hill(x, K)`\n"
            "  expected: 3",
        ),
        (
            "1 + 9**9**9",
            "error[expression.power]: a power is too large (column 6 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `1 + 9**9**9`\n"
            "  expected: exponents up to 1000 and results below 2**990",
        ),
        (
            "x/(1 - 1)",
            "error[expression.undefined]: a division by zero (column 4 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `x/(1 - 1)`",
        ),
        (
            "k * lambda",
            "error[expression.name]: `lambda` is a keyword of Python and cannot be a name"
            " (column 5 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `k * lambda`",
        ),
        (
            "\u0445 + 1",
            "error[expression.character]: the character `\u0445` (CYRILLIC SMALL LETTER HA) cannot stand in"
            " an expression (column 1 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `\u0445 + 1`\n"
            "  try:      names are written in ASCII letters, digits and underscores",
        ),
        (
            "(x",
            "error[expression.syntax]: the expression ends too early (column 3 of the expression)\n"
            "  --> my-model.toml:14, key `reactions.loss.rate`\n"
            "  found:    `(x`\n"
            "  expected: `)`",
        ),
    ],
)
def test_each_fault_names_column_and_place(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_expression(text, where=Where(file="my-model.toml", line=14, key="reactions.loss.rate"))
    assert str(caught.value) == message


def test_numbers_from_python_become_exact() -> None:
    k = Parameter("k", "loss", 0.3)
    assert as_expression(0.1) == Rational(1, 10)
    assert as_expression(Fraction(1, 3)) == Rational(1, 3)
    assert as_expression(0.1 * k) == Rational(1, 10) * Symbol("k")
    assert as_expression(k) == Symbol("k")


def test_a_text_among_parts_is_read_by_the_grammar() -> None:
    assert as_expression("0.1*x") == x / 10


def test_arithmetic_with_a_part_does_not_execute_text() -> None:
    k = Parameter("k", "loss", 0.3)
    with pytest.raises(sympy.SympifyError):
        k * "__import__('os').getcwd()"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "expression.undefined"),
        (float("inf"), "expression.undefined"),
        (sympy.oo, "expression.undefined"),
        (sympy.I * x, "expression.undefined"),
        (sympy.pi, "expression.undefined"),
        (sympy.sinh(x), "expression.function"),
        (sympy.Piecewise((x, x > 0)), "expression.function"),
        (sympy.Function("f")(x), "expression.function"),
        (None, "expression.type"),
        ([x], "expression.type"),
        (x > 1, "expression.condition"),
    ],
)
def test_what_the_grammar_cannot_say_is_refused_from_python_too(value: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        as_expression(value)
    assert caught.value.code == code


def test_replacement_keeps_nested_functions_plain() -> None:
    nested = parse_expression("tanh(" * 40 + "x + y" + " + y)" * 40)
    start = time.process_time()
    replaced = substitute(nested, {x: sympy.exp(y)})
    assert replaced.free_symbols == {y}
    assert time.process_time() - start < 3.0
    assert substitute(sympy.Abs(x), {x: sympy.exp(y)}) == sympy.Abs(sympy.exp(y), evaluate=False)


@pytest.mark.parametrize("text", ["x", "2", "hill(x, k, 3) + exp(-x*k)/(1 + exp(-x*k))", "max(x, k**x)**2 - sqrt(k)"])
def test_parts_are_those_that_sympy_finds(text: str) -> None:
    expression = parse_expression(text)
    for kinds in ((Symbol,), (sympy.Rational,), (sympy.Pow, sympy.exp), (sympy.Expr,)):
        assert parts_of(expression, *kinds) == expression.atoms(*kinds)


def test_parts_that_stand_in_one_another_again_and_again_are_found_at_once() -> None:
    nest = Symbol("x")
    for _ in range(100):
        nest = sympy.tanh(nest * (nest + 1), evaluate=False)
    assert len(parts_of(nest, sympy.tanh)) == 100


def test_a_hill_term_halves_at_its_constant() -> None:
    assert hill(x, K, n).xreplace({x: K}) == Rational(1, 2)


def test_printing_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from simulate.symbolic.expressions import *;"
        "print(print_expression(parse_expression('max(c, a, b*d) + z*y*x/(w + v) - u**t + min(q, p)')))"
    )
    texts = {output(code, PYTHONHASHSEED=seed) for seed in ("1", "2", "3")}
    assert texts == {"max(a, b*d, c) + min(p, q) + x*y*z/(v + w) - u**t"}


def test_the_functions_are_those_that_cannot_be_names() -> None:
    assert tuple(FUNCTIONS) == FUNCTION_NAMES
