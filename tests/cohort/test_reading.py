from __future__ import annotations

from pathlib import Path

import pytest

from simulate.cohort.draws import draw
from simulate.cohort.population import Correlation, Occasion, Population, PowerEffect, SlopeEffect, Stratum
from simulate.cohort.reading import read_population, shipped_population
from simulate.errors import InputError
from simulate.files import read_toml
from simulate.shipped import cohort_file, parameter_files, sources_file
from simulate.symbolic.parts import Grade, Parameter, Spread
from simulate.symbolic.units import unit

FILE = """\
[covariate.weight]
meaning = "body weight"
value = 75
unit = "kg"
spread = { sd_log = 0.18 }
bounds = [50, 110]
source = "book"
grade = "recalled"

[[effect]]
covariate = "weight"
parameter = "V"
exponent = 1
source = "book"
grade = "read"

[[correlation]]
a = "chi"
b = "f_RO"
rho = 0.8
source = "book"
grade = "assumed"

[[stratum]]
name = "IBM"
count = 5
source = "book"
grade = "read"

[stratum.parameters.chi]
value = 0.9
bounds = [0.6, 0.99]
source = "book"
grade = "assumed"
"""
V = Parameter("V", "volume", 12.0, unit("L"))
CHI = Parameter("chi", "share", 0.5, spread=Spread(0.5), bounds=(0.1, 0.95))
F_RO = Parameter("f_RO", "share", 0.6, spread=Spread(0.2))


def read(
    tmp_path: Path, text: str = FILE, parameters: tuple[Parameter, ...] = (V, CHI, F_RO), known: tuple[str, ...] = ()
) -> Population:
    path = tmp_path / "cohort.toml"
    path.write_text(text, encoding="utf-8")
    return read_population(path, parameters, known=known)


def test_a_file_is_a_population(tmp_path: Path) -> None:
    assert read(tmp_path) == Population(
        parameters=(V, CHI, F_RO),
        covariates=(
            Parameter("weight", "body weight", 75.0, unit("kg"), Spread(0.18), (50.0, 110.0), "book", Grade.RECALLED),
        ),
        correlations=(Correlation("chi", "f_RO", 0.8, "book", Grade.ASSUMED),),
        effects=(PowerEffect("weight", "V", 1.0, "book", Grade.READ),),
        strata=(
            Stratum(
                "IBM",
                5.0,
                (Parameter("chi", "share", 0.9, spread=Spread(0.5), bounds=(0.6, 0.99), source="book"),),
            ),
        ),
    )


def test_a_slope_is_an_effect_too(tmp_path: Path) -> None:
    population = read(tmp_path, FILE.replace("exponent = 1", "log10_slope = 0.0062"))
    assert population.effects == (SlopeEffect("weight", "V", 0.0062, "book", Grade.READ),)


def test_what_the_model_does_not_use_is_left_out(tmp_path: Path) -> None:
    population = read(tmp_path, parameters=(F_RO,), known=("V", "chi"))
    assert population == Population((F_RO,), strata=(Stratum("IBM", 5.0),))


OCCASION = """
[[occasion]]
route = "sc"
spread = { sd_log = 0.2 }
source = "book"
grade = "assumed"
"""


def test_doses_may_differ_from_one_to_the_next(tmp_path: Path) -> None:
    assert read(tmp_path, FILE + OCCASION).occasions == (Occasion("sc", 0.2, "book", Grade.ASSUMED),)
    shipped = shipped_population((V, CHI, F_RO))
    assert [(row.route, row.sd_log) for row in shipped.occasions] == [("sc", 0.0)]
    # A file that builds on it keeps what it does not say again.
    base = 'base = "myositis"\n'
    assert read(tmp_path, base).occasions == shipped.occasions
    assert [row.sd_log for row in read(tmp_path, base + OCCASION).occasions] == [0.2]
    assert draw(read(tmp_path, FILE + OCCASION), 1, seed=1).between_doses == (("sc", 0.2),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OCCASION + OCCASION, "the route `sc` occurs twice"),
        (OCCASION.replace("spread = { sd_log = 0.2 }\n", ""), "the route `sc` has no spread"),
        (OCCASION.replace("0.2", "-0.2"), "the value of `sd_log` cannot be used"),
    ],
)
def test_a_spread_between_doses_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, FILE + text)
    assert caught.value.what == message
    assert caught.value.where is not None
    assert caught.value.where.line is not None


def test_what_a_mechanism_of_the_model_brings_about_is_left_out(tmp_path: Path) -> None:
    text = FILE.replace("rho = 0.8\n", 'rho = 0.8\nunless = "w"\n').replace(
        "value = 0.9\n", 'value = 0.9\nunless = "w"\n'
    )
    w = Parameter("w", "weight of the mechanism", 1.0)
    without, having = read(tmp_path, text, known=("w",)), read(tmp_path, text, (V, CHI, F_RO, w))
    assert (len(without.correlations), [row.name for row in without.strata[0].parameters]) == (1, ["chi"])
    assert (having.correlations, having.strata[0].parameters) == ((), ())


def test_a_mechanism_that_nobody_knows_leaves_nothing_out(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, FILE.replace("rho = 0.8\n", 'rho = 0.8\nunless = "nul_typical"\n'), known=("null_typical",))
    assert caught.value.code == "cohort.parameter"
    assert (caught.value.what, caught.value.advice) == (
        "there is no parameter `nul_typical`",
        "did you mean `null_typical`?",
    )


def test_a_parameter_without_spread_correlates_with_nothing(tmp_path: Path) -> None:
    fixed = Parameter("f_RO", "share", 0.6)
    assert read(tmp_path, parameters=(V, CHI, fixed)).correlations == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'parameter = "V"',
            'parameter = "VV"',
            "error[cohort.parameter]: there is no parameter `VV`\n  --> {path}:12, key `effect[0].parameter`\n"
            "  try:      did you mean `V`?",
        ),
        (
            'a = "chi"',
            'a = "psi"',
            "error[cohort.parameter]: there is no parameter `psi`\n  --> {path}:18, key `correlation[0].a`",
        ),
        (
            "stratum.parameters.chi",
            "stratum.parameters.chy",
            "error[cohort.parameter]: there is no parameter `chy`\n  --> {path}:30, key `stratum[0].parameters.chy`\n"
            "  try:      did you mean `chi`?",
        ),
        (
            'covariate = "weight"',
            'covariate = "height"',
            "error[cohort.parameter]: there is no covariate `height`\n  --> {path}:11, key `effect[0].covariate`\n"
            "  try:      did you mean `weight`?",
        ),
        (
            "exponent = 1",
            "exponant = 1",
            "error[key.unknown]: unknown key `exponant`\n"
            "  --> {path}:13, key `effect[0].exponant`\n"
            "  expected: `covariate`, `parameter`, `exponent`, `log10_slope`, `source`, `grade`, `note`\n"
            "  try:      did you mean `exponent`?",
        ),
        (
            "exponent = 1",
            "exponent = 1\nlog10_slope = 1",
            "error[cohort.value]: an effect has either `exponent` or `log10_slope`\n  --> {path}:10, key `effect[0]`",
        ),
        (
            "rho = 0.8",
            "rho = true",
            "error[key.type]: the value of `rho` cannot be used\n"
            "  --> {path}:20, key `correlation[0].rho`\n"
            "  found:    true\n"
            "  expected: a number",
        ),
        (
            "rho = 0.8",
            "rho = nan",
            "error[key.value]: the value of `rho` cannot be used\n"
            "  --> {path}:20, key `correlation[0].rho`\n"
            "  found:    nan\n"
            "  expected: a number that is finite and of ordinary size",
        ),
        (
            "rho = 0.8\n",
            "",
            "error[key.missing]: the key `rho` is missing\n"
            "  --> {path}:17, key `correlation[0]`\n"
            "  found:    `a`, `b`, `source`, `grade`\n"
            "  expected: a number",
        ),
        (
            "{ sd_log = 0.18 }",
            "{ sd = 0.18 }",
            "error[key.unknown]: unknown key `sd`\n"
            "  --> {path}:5, key `covariate.weight.spread.sd`\n"
            "  expected: `cv`, `sd_log`",
        ),
        (
            "[50, 110]",
            "[110, 50]",
            "error[key.value]: the value of `bounds` cannot be used\n"
            "  --> {path}:6, key `covariate.weight.bounds`\n"
            "  found:    [110, 50]\n"
            "  expected: the lower bound first, then a higher one",
        ),
        (
            'grade = "recalled"',
            'grade = "recaled"',
            "error[key.value]: the value of `grade` cannot be used\n"
            "  --> {path}:8, key `covariate.weight.grade`\n"
            "  found:    'recaled'\n"
            "  expected: `read`, `calculated`, `recalled`, `assumed`\n"
            "  try:      did you mean `recalled` or `read`?",
        ),
        (
            "[[stratum]]",
            "[stratum]",
            "error[key.type]: the value of `stratum` cannot be used\n"
            "  --> {path}:24, key `stratum`\n"
            "  found:    a table\n"
            "  expected: tables, [[stratum]]",
        ),
        (
            "covariate.weight",
            "covariate.V",
            "error[cohort.value]: the covariate `V` has the name of a parameter\n  --> {path}:1, key `covariate.V`",
        ),
    ],
)
def test_each_fault_is_explained_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, FILE.replace(old, new, 1))
    assert str(caught.value) == message.replace("{path}", str(tmp_path / "cohort.toml"))


def test_a_coefficient_of_variation_is_converted(tmp_path: Path) -> None:
    population = read(tmp_path, FILE.replace("sd_log = 0.18", "cv = 0.18"))
    assert population.covariates[0].spread == Spread.from_cv(0.18)


def test_the_shipped_rules_name_shipped_parameters_and_sources() -> None:
    names = {name for path in parameter_files() for name in read_toml(path).data}
    rules = read_toml(cohort_file()).data
    used = {rule["parameter"] for rule in rules["effect"]}
    used |= {rule[side] for rule in rules["correlation"] for side in "ab"}
    used |= {name for rule in rules["stratum"] for name in rule.get("parameters", {})}
    rows = [*rules["covariate"].values(), *rules["effect"], *rules["correlation"], *rules["stratum"]]
    rows += [row for rule in rules["stratum"] for row in rule.get("parameters", {}).values()]
    assert used <= names
    assert {row["source"] for row in rows} <= set(read_toml(sources_file()).data)


def test_a_model_without_shipped_parameters_just_has_its_spreads() -> None:
    own = (Parameter("mine", "of the user", 1.0, spread=Spread(0.3)),)
    population = shipped_population(own)
    assert (population.covariates, population.correlations, population.effects) == ((), (), ())
    assert draw(population, 5, seed=1).values.shape == (5, 1)
