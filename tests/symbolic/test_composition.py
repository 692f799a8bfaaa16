from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest
import sympy
from sympy import Integer, Rational, Symbol

from simulate.errors import InputError, Where
from simulate.symbolic.composition import compose
from simulate.symbolic.expressions import parse_expression, print_expression
from simulate.symbolic.parts import (
    Balance,
    Condition,
    Definition,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Route,
    Species,
    Spread,
)
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit
from tests.symbolic.small import DECAY, DRUG, LOSS, TABLE, THREE_POOLS, N, R, output, refusal, t


def definitions(model: object) -> dict[str, str]:
    return {part.name: print_expression(part.expression) for part in model.definitions}  # type: ignore[attr-defined]


def with_decay(**parts: object) -> Mechanism:
    """The decaying drug with more parts."""
    merged = {name: getattr(DECAY, name) + value for name, value in parts.items()}  # type: ignore[operator]
    return replace(DECAY, **merged)


def test_a_model_needs_a_few_lines_only() -> None:
    X = Species("X", "drug", unit("nM"), 1)
    k = Parameter("k", "loss", 0.1, unit("1/d"))
    model = compose(
        [Mechanism("decay", "decay", species=(X,), parameters=(k,), reactions=(Reaction("loss", k * X, {X: -1}),))]
    )
    assert (model.rates(), model.initial, model.parameters) == ((-k * X,), (Integer(1),), (k,))


def test_the_order_of_mechanisms_does_not_matter() -> None:
    extra = Mechanism("more", "another drug", species=(DRUG,), reactions=(Reaction("x_loss", LOSS * DRUG, {DRUG: -1}),))
    values = {**TABLE, "k": LOSS}
    models = [compose(order, values=values) for order in itertools.permutations((*THREE_POOLS, extra))]
    assert all(model == models[0] for model in models)
    assert {model.key for model in models} == {models[0].key}
    assert models[0].mechanisms == ("more", "pools", "signaling")


def test_a_baseline_gets_readable_definitions_in_order() -> None:
    model = compose(THREE_POOLS, values=TABLE)
    assert definitions(model) == {
        "occupancy": "il1/(1 + il1 + R/K_R)",
        "signal": "occupancy/(e50 + occupancy)",
        "occupancy_baseline": "il1/(1 + il1)",
        "signal_baseline": "occupancy_baseline/(e50 + occupancy_baseline)",
        "ratio": "signal/signal_baseline",
    }
    known = {part.name for part in (*model.parameters, *model.species, *model.balance)}
    for part in model.definitions:
        assert {str(symbol) for symbol in part.expression.free_symbols} <= known
        known.add(part.name)
    generated = next(part for part in model.definitions if part.name == "signal_baseline")
    assert (generated.meaning, generated.unit) == ("signal of IL-1, at baseline", DIMENSIONLESS)


def test_the_baseline_of_a_species_is_its_initial_value() -> None:
    model = compose(THREE_POOLS, values=TABLE)
    half = Definition("half", "relative cells", DIMENSIONLESS, N / at_baseline(N + R * 0 + N * t * 0))
    changed = compose((*THREE_POOLS, Mechanism("x", "x", definitions=(half,))), values=TABLE)
    assert definitions(changed)["half"] == "N/N_0"
    assert definitions(changed).keys() - definitions(model).keys() == {"half"}


def test_an_own_name_for_a_baseline_is_used_everywhere() -> None:
    start = Definition("S_0", "signal at the start", DIMENSIONLESS, at_baseline(Symbol("signal")))
    model = compose((*THREE_POOLS, Mechanism("x", "x", definitions=(start,))), values=TABLE)
    assert definitions(model)["ratio"] == "signal/S_0"
    assert definitions(model)["S_0"] == "occupancy_baseline/(e50 + occupancy_baseline)"
    assert "signal_baseline" not in definitions(model)


def test_a_baseline_of_what_is_a_baseline_is_the_same_number() -> None:
    # Initial assignments of SBML are written so: one parameter begins as another, which begins as a third.
    for order in (1, -1):
        chain = [
            Definition("first", "x", DIMENSIONLESS, at_baseline(Symbol("signal"))),
            Definition("second", "x", DIMENSIONLESS, at_baseline(Symbol("first"))),
            Definition("third", "x", DIMENSIONLESS, at_baseline(Symbol("second"))),
        ]
        model = compose((*THREE_POOLS, Mechanism("x", "x", definitions=tuple(chain[::order]))), values=TABLE)
        assert definitions(model)["second"] == "first"
        assert definitions(model)["third"] == "second"
        assert definitions(model)["first"] == "occupancy_baseline/(e50 + occupancy_baseline)"


def test_a_generated_name_avoids_those_in_use() -> None:
    taken = Observable("signal_baseline", "something else", DIMENSIONLESS, Integer(1))
    model = compose((*THREE_POOLS, Mechanism("x", "x", observables=(taken,))), values=TABLE)
    assert definitions(model)["ratio"] == "signal/signal_baseline_2"


def test_baselines_may_be_nested_and_contain_time() -> None:
    drift = Definition(
        "drift", "x", DIMENSIONLESS, at_baseline(at_baseline(DRUG) * sympy.exp(-LOSS * t) / DRUG) + LOSS * t
    )
    model = compose(
        [replace(with_decay(definitions=(drift,)), species=(replace(DRUG, initial=Symbol("X_0")),))],
        values={"X_0": Parameter("X_0", "x", 2.0, unit("nM"))},
    )
    assert definitions(model) == {"drift": "1 + k*t"}


def test_only_used_parameters_enter_and_table_values_take_precedence() -> None:
    model = compose([DECAY], values={**TABLE, "k": replace(LOSS, value=0.4)})
    assert [(parameter.name, parameter.value) for parameter in model.parameters] == [("k", 0.4)]


def test_a_bare_initial_number_is_in_the_unit_of_the_species() -> None:
    mass = Species("X", "drug", unit("mg"), 2.5)
    model = compose(
        [Mechanism("m", "m", species=(mass,), reactions=(Reaction("loss", LOSS * mass, {mass: -1}),))],
        values={"k": LOSS},
    )
    assert model.initial == (Rational(2500),)
    assert model.species[0].initial == Rational(2500)


def test_the_initial_value_may_build_on_definitions_and_other_species() -> None:
    twice = Definition("twice", "twice X", unit("nM"), 2 * DRUG)
    second = Species("Y", "second", unit("nM"), Symbol("twice") + DRUG)
    model = compose(
        [with_decay(species=(second,), definitions=(twice,), reactions=(Reaction("r", LOSS * second, {second: -1}),))]
    )
    assert model.initial == (Integer(1), Integer(3))


def test_texts_and_numbers_are_expressions_too() -> None:
    model = compose([replace(DECAY, reactions=(Reaction("loss", "0.5*k*X", {DRUG: -2.0}),))])  # type: ignore[arg-type]
    assert model.rates() == (-LOSS * DRUG,)


NM = unit("nM")
Y = Species("Y", "other", NM)
ERRORS = [
    (
        replace(DECAY, reactions=(Reaction("loss", Symbol("k_") * DRUG, {DRUG: -1}),)),
        "error[model.undefined]: nothing defines `k_`, which stands in the rate of `loss`\n"
        "  --> key `reactions.loss.rate`\n"
        "  try:      did you mean `k`?",
    ),
    (
        replace(DECAY, reactions=(Reaction("loss", LOSS * Symbol("hepatic") * DRUG, {DRUG: -1}),)),
        "error[model.undefined]: nothing defines `hepatic`, which stands in the rate of `loss`\n"
        "  --> key `reactions.loss.rate`\n"
        "  try:      declare it as a parameter or a definition",
    ),
    (
        with_decay(species=(Y,)),
        "error[model.no-rate]: no reaction and no event changes the species `Y`\n"
        "  --> key `species.Y`\n"
        "  try:      add a reaction, or make it a parameter or a definition",
    ),
    (
        with_decay(parameters=(Parameter("spare", "unused", 1.0),)),
        "error[model.unused]: the parameter `spare` is declared but nothing uses it\n"
        "  --> key `parameters.spare`\n"
        "  try:      remove it, or use it in a rate or a definition",
    ),
    (
        with_decay(definitions=(Definition("X", "again", NM, Symbol("k")),)),
        "error[model.clash]: the name `X` is given twice\n"
        "  --> key `definitions.X`\n"
        "  found:    X in species and in definitions\n"
        "  try:      rename one; in a hypothesis, replace the mechanism that has the other",
    ),
    (
        with_decay(reactions=(Reaction("loss", LOSS * DRUG, {DRUG: -1}),)),
        "error[model.clash]: the name `loss` is given twice\n"
        "  --> key `reactions.loss`\n"
        "  found:    two reactions\n"
        "  try:      rename one; in a hypothesis, replace the mechanism that has the other",
    ),
    (
        with_decay(definitions=(Definition("t", "time", DIMENSIONLESS, Integer(1)),)),
        "error[model.name]: the name `t` belongs to time\n  --> key `definitions.t`",
    ),
    (
        with_decay(definitions=(Definition("exp", "x", DIMENSIONLESS, Integer(1)),)),
        "error[model.name]: `exp` cannot be a name\n"
        "  --> key `definitions.exp`\n"
        "  expected: ASCII letters, digits and underscores, the first no digit\n"
        "  try:      it is a function",
    ),
    (
        with_decay(definitions=(Definition("µ", "x", DIMENSIONLESS, Integer(1)),)),
        "error[model.name]: `µ` cannot be a name\n"
        "  --> key `definitions.µ`\n"
        "  expected: ASCII letters, digits and underscores, the first no digit",
    ),
    (
        with_decay(
            definitions=(
                Definition("a", "a", DIMENSIONLESS, Symbol("b")),
                Definition("b", "b", DIMENSIONLESS, 2 * Symbol("a")),
            )
        ),
        "error[model.circular]: the definition of `a` depends on itself\n"
        "  --> key `definitions.a.expression`\n"
        "  found:    `a` → `b` → `a`\n"
        "  try:      break the circle, for instance with a balance that solves for one of them",
    ),
    (
        replace(DECAY, species=(replace(DRUG, initial=2 * DRUG.symbol),)),
        "error[model.circular]: the initial value of `X` depends on itself\n"
        "  --> key `species.X.initial`\n"
        "  found:    `X` → `X`\n"
        "  try:      break the circle, for instance with a balance that solves for one of them",
    ),
    (
        replace(DECAY, reactions=(Reaction("loss", LOSS * DRUG * DRUG, {DRUG: -1}),)),
        "error[units.mismatch]: the rate of `loss`, which changes `X`, has the wrong unit\n"
        "  --> key `reactions.loss.rate`, term `k*X**2`\n"
        "  found:    nM**2 / d\n"
        "  expected: nM / d\n"
        "  try:      divide by something in nM, or correct the unit of a parameter in it",
    ),
    (
        replace(DECAY, reactions=(Reaction("loss", LOSS * DRUG + LOSS, {DRUG: -1}),)),
        "error[units.mismatch]: the terms of a sum in the rate of `loss` differ in unit\n"
        "  --> key `reactions.loss.rate`, term `k*X`\n"
        "  found:    nM / d\n"
        "  expected: 1 / d\n"
        "  try:      divide by something in nM, or correct the unit of a parameter in it",
    ),
    (
        with_decay(definitions=(Definition("c", "c", NM, 1 / DRUG),)),
        "error[units.mismatch]: the definition of `c` has the wrong unit\n"
        "  --> key `definitions.c.expression`, term `1/X`\n"
        "  found:    1 / nM\n"
        "  expected: nM\n"
        "  try:      multiply with something in nM**2, or correct the unit of a parameter in it",
    ),
    (
        with_decay(routes=(Route("iv", "drug", DRUG, unit("mg"), Integer(1)),)),
        "error[units.mismatch]: the gain of route `iv` has the wrong unit\n"
        "  --> key `routes.iv.gain`, term `1`\n"
        "  found:    a pure number\n"
        "  expected: nM / µg\n"
        "  try:      multiply with something in nM / µg, or correct the unit of a parameter in it",
    ),
    (
        with_decay(routes=(Route("iv", "drug", DRUG, NM, DRUG / at_baseline(DRUG)),)),
        "error[model.gain]: the gain of route `iv` changes in time\n"
        "  --> key `routes.iv.gain`\n"
        "  found:    `X/at_baseline(X)`\n"
        "  expected: parameters, balanced unknowns, and definitions that are made of them",
    ),
    (
        with_decay(routes=(Route("iv", "drug", Y, NM, Integer(1)),)),
        "error[model.undefined]: no mechanism declares the species `Y`, which is the target of route `iv`\n"
        "  --> key `routes.iv.target`\n"
        "  try:      add the mechanism that declares it",
    ),
    (
        with_decay(
            observables=(
                Observable("c", "c", NM, DRUG.symbol),
                Observable("d", "d", NM, 2 * Symbol("c")),
            )
        ),
        "error[model.undefined]: `c` stands in the observable `d`, but observables cannot stand in expressions\n"
        "  --> key `observables.d.expression`\n"
        "  try:      give the expression a name as a definition, and use that in both places",
    ),
    (
        replace(
            DECAY,
            species=(replace(DRUG, initial=0),),
            definitions=(Definition("r", "r", DIMENSIONLESS, DRUG / at_baseline(DRUG)),),
        ),
        "error[baseline.undefined]: the definition of `r` has no finite value at baseline\n"
        "  --> key `definitions.r.expression`\n"
        "  found:    `zoo*X`\n"
        "  try:      does it divide by a species that starts at 0?",
    ),
    (
        replace(DECAY, reactions=(Reaction("loss", sympy.sinh(DRUG / DRUG * Symbol("k")), {DRUG: -1}),)),
        "error[expression.function]: `sinh` cannot stand in a model\n"
        "  --> key `reactions.loss.rate`\n"
        "  found:    `sinh(k)`\n"
        "  expected: + - * / ** and exp log sqrt tanh abs min max hill at_baseline "
        "sin cos tan asin acos atan floor ceil piecewise",
    ),
    (
        Mechanism("empty", "nothing"),
        "error[model.empty]: the model has no species\n  try:      add a mechanism that declares some",
    ),
    (
        with_decay(
            parameters=(Parameter("bad", "x", float("nan")),),
            observables=(Observable("o", "o", DIMENSIONLESS, Symbol("bad")),),
        ),
        "error[model.value]: the value of `bad` is not a finite number\n  --> key `parameters.bad`\n  found:    nan",
    ),
]


@pytest.mark.parametrize(("mechanism", "message"), ERRORS, ids=[message.split("]")[0][6:] for _, message in ERRORS])
def test_each_fault_of_a_model_is_explained(mechanism: Mechanism, message: str) -> None:
    assert str(refusal(mechanism)) == message


def test_two_mechanisms_may_not_differ_about_a_parameter() -> None:
    other = Mechanism(
        "other",
        "x",
        parameters=(replace(LOSS, value=0.2),),
        observables=(Observable("o", "o", unit("1/d"), LOSS.symbol),),
    )
    assert str(refusal(DECAY, other)) == (
        "error[model.clash]: two mechanisms declare different parameters `k`\n"
        "  --> key `parameters.k`\n"
        "  found:    0.1 1/d, 0.2 1/d\n"
        "  try:      rename one, or declare it once"
    )


def test_a_value_of_another_dimension_is_refused() -> None:
    assert str(refusal(DECAY, values={"k": replace(LOSS, unit=unit("d"))})) == (
        "error[units.mismatch]: the value given for `k` has another dimension than its declaration\n"
        "  --> key `parameters.k`\n"
        "  found:    d\n"
        "  expected: 1/d"
    )


def test_a_table_may_not_hide_a_species() -> None:
    assert str(refusal(DECAY, values={"X": Parameter("X", "x", 1.0)})) == (
        "error[model.clash]: `X` is both a parameter and one of the species\n"
        "  --> key `species.X`\n"
        "  try:      rename one"
    )


def test_a_table_gives_a_parameter_under_its_own_name() -> None:
    assert (
        refusal(DECAY, values={"k": replace(LOSS, name="kk")}).what
        == "the table gives the parameter `kk` under the name `k`"
    )


def test_a_fault_names_file_and_line_where_they_are_known() -> None:
    broken = replace(DECAY, reactions=(Reaction("loss", DRUG * DRUG, {DRUG: -1}),), parameters=())
    places = {"reactions.loss": Where("m.toml", 7, None, "reactions.loss")}
    with pytest.raises(InputError) as caught:
        compose([broken], places=places)
    assert str(caught.value.where) == "m.toml:7, key `reactions.loss.rate`, term `X**2`"


def test_a_condition_cannot_take_the_name_of_an_unknown() -> None:
    twice = Mechanism("x", "x", conditions=(Condition("burst", Symbol("burst"), "again"),))
    assert refusal(*THREE_POOLS, twice, values=TABLE).code == "model.clash"


def test_definitions_that_explode_at_baseline_are_refused_at_once() -> None:
    chain = [Definition("e0", "x", NM, DRUG + Symbol("c"))]
    chain += [
        Definition(f"e{i}", "x", NM, Symbol(f"e{i - 1}") + Symbol("r") * Symbol(f"e{i - 1}")) for i in range(1, 40)
    ]
    second = Species("Y", "other", NM, Symbol("e39"))
    mechanism = with_decay(definitions=tuple(chain), species=(second,), reactions=(Reaction("r1", LOSS * Y, {Y: -1}),))
    start = time.process_time()
    error = refusal(mechanism, values={"r": Parameter("r", "r", 1.0), "c": Parameter("c", "c", 1.0, NM)})
    assert (error.code, error.expected) == ("model.limit", "at most 50000 symbols, numbers and operations")
    assert time.process_time() - start < 3.0


def test_a_very_long_chain_of_definitions_is_an_input_error() -> None:
    chain = [Definition("e0", "x", DIMENSIONLESS, Symbol("e3000"))]
    chain += [Definition(f"e{i}", "x", DIMENSIONLESS, Symbol(f"e{i - 1}")) for i in range(3000, 0, -1)]
    assert refusal(with_decay(definitions=tuple(chain))).code in ("model.limit", "model.circular")


def test_the_key_changes_with_what_decides_numbers_and_with_nothing_else() -> None:
    key = compose([DECAY]).key
    renamed = replace(DECAY, name="other", title="other", species=(replace(DRUG, meaning="other"),))
    assert compose([renamed], name="n", title="t").key == key
    assert compose([replace(DECAY, parameters=(replace(LOSS, meaning="m", source="s"),))]).key == key
    different = [
        replace(DECAY, parameters=(replace(LOSS, value=0.2),)),
        replace(DECAY, parameters=(replace(LOSS, spread=Spread(0.1)),)),
        replace(DECAY, parameters=(replace(LOSS, bounds=(0.0, 1.0)),)),
        replace(DECAY, parameters=(replace(LOSS, unit=unit("1/h")),)),
        replace(DECAY, species=(replace(DRUG, initial=2),)),
        with_decay(observables=(Observable("o", "o", NM, DRUG.symbol),)),
        with_decay(observables=(Observable("o", "o", unit("pM"), DRUG.symbol),)),
        with_decay(routes=(Route("iv", "drug", DRUG, NM, Integer(1)),)),
        with_decay(conditions=(Condition("c", LOSS.symbol, "no"),)),
        replace(DECAY, reactions=(Reaction("loss", LOSS * DRUG, {DRUG: -2}),)),
        replace(DECAY, reactions=(Reaction("loss", 2 * LOSS * DRUG, {DRUG: -1}),)),
    ]
    keys = [compose([mechanism]).key for mechanism in different]
    assert len({key, *keys}) == len(different) + 1


def test_the_key_is_the_same_in_every_process() -> None:
    code = (
        "from simulate.symbolic.composition import compose; from tests.symbolic.small import *;"
        "print(compose(THREE_POOLS, values=TABLE).key)"
    )
    keys = {output(code, PYTHONHASHSEED=seed) for seed in ("0", "1")}
    assert keys == {compose(THREE_POOLS, values=TABLE).key}


def test_equal_models_have_equal_hashes() -> None:
    assert (
        len({compose([DECAY]), compose([DECAY]), compose([replace(DECAY, parameters=(replace(LOSS, value=1.0),))])})
        == 2
    )


def test_a_large_model_composes_in_a_moment() -> None:
    rows = range(20)
    values = {
        **{f"k{i}": Parameter(f"k{i}", "rate", 0.1 + i, unit("1/d")) for i in rows},
        **{f"c{i}": Parameter(f"c{i}", "level", 1.0 + i, NM) for i in rows},
        **{f"K{i}": Parameter(f"K{i}", "constant", 2.0 + i, NM) for i in rows},
        "n": Parameter("n", "exponent", 2.5),
    }
    species = [Species(f"X{i}", "x", NM, Symbol(f"c{i}")) for i in rows]
    saturation = [
        Definition(
            f"h{i}", "h", DIMENSIONLESS, parse_expression(f"hill(X{i} + X{(i + 1) % 20}*r{(i + 3) % 10}, K{i}, n)")
        )
        for i in rows
    ]
    ratio = [Definition(f"r{i}", "r", DIMENSIONLESS, parse_expression(f"X{i}/at_baseline(X{i})")) for i in range(10)]
    balances = [Balance(f"s{i}", "s", unit("nM/d"), species[i], "no") for i in range(12)]
    drive = "(1 + h{}/at_baseline(h{})*r{})"
    made = [(f"s{i}*" if i < 12 else f"k{i}*c{i}*") + drive.format((i + 7) % 20, i, i % 10) for i in rows]
    reactions = [Reaction(f"make{i}", parse_expression(made[i]), {species[i]: 1}) for i in rows]
    reactions += [Reaction(f"lose{i}", parse_expression(f"k{i}*X{i}"), {species[i]: -1}) for i in rows]
    mechanism = Mechanism("m", "m", tuple(species), (*saturation, *ratio), tuple(reactions), balances=tuple(balances))
    start = time.process_time()
    model = compose([mechanism], values=values)
    assert time.process_time() - start < 3.0
    assert (len(model.species), len(model.parameters), len(model.balance)) == (20, 61, 12)
