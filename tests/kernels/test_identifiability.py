"""What can be learned of models whose identifiability is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import sympy

from simulate.errors import InputError
from simulate.kernels.identifiability import Structural, Together, structural
from simulate.kernels.system import System, equations
from simulate.symbolic.composition import compose
from simulate.symbolic.expressions import parse_expression
from simulate.symbolic.parts import Mechanism, Observable, Parameter, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit
from tests.helpers.systems import with_route


def dosed(system: System, gain: str) -> System:
    """The system with a route ``in`` into its first state, with a gain."""
    return replace(with_route(system), gains=(parse_expression(gain),))


ORAL = dosed(
    equations(
        {"depot": "-ka*depot", "central": "ka*depot - CL/V*central"},
        [0.0, 0.0],
        parameters=["F", "V", "CL", "ka"],
        observables={"C": "central/V"},
    ),
    "F",
)
"""One compartment with first-order absorption."""

ORAL_AND_VENOUS = replace(ORAL, routes=("in", "iv"), route_targets=(0, 1), gains=(*ORAL.gains, sympy.S.One))

RESPONSE = dosed(equations({"x": "0"}, [0.0], parameters=["a", "b"], observables={"y": "a*x + b*x**2"}), "1")
ROOTS = dosed(equations({"x": "0"}, ["1"], parameters=["a", "b"], observables={"y": "(a + x)**0.5 + b*x"}), "1")

TWO_COMPARTMENTS = dosed(
    equations(
        {"central": "-(CL + Q)/V*central + Q/W*tissue", "tissue": "Q/V*central - Q/W*tissue"},
        [0.0, 0.0],
        parameters=["F", "V", "W", "CL", "Q"],
        observables={"C": "central/V"},
    ),
    "F",
)

THREE_RATES_AND_LOSS_FROM_BOTH = dosed(
    equations(
        {"central": "-(k10 + k12)*central + k21*tissue", "tissue": "k12*central - (k21 + k20)*tissue"},
        [0.0, 0.0],
        parameters=["V", "k10", "k12", "k21", "k20"],
        observables={"C": "central/V"},
    ),
    "1",
)
"""R. Bellman and K. J. Åström, Mathematical Biosciences 7 (1970) 329."""

MICHAELIS_MENTEN = dosed(
    equations(
        {"central": "-Vmax*central/(Km*V + central)"},
        [0.0],
        parameters=["V", "Vmax", "Km"],
        observables={"C": "central/V"},
    ),
    "1",
)

UNKNOWN_BIOAVAILABILITY = replace(MICHAELIS_MENTEN, parameters=("F", "V", "Vmax", "Km"), gains=(sympy.Symbol("F"),))

LOTKA_VOLTERRA = equations(
    {"x": "a*x - b*x*y", "y": "d*x*y - c*y"},
    ["x0", "y0"],
    parameters=["a", "b", "c", "d", "x0", "y0"],
    observables={"prey": "x"},
)

EPIDEMIC = equations(
    {"S": "-beta*S*I", "I": "beta*S*I - gamma*I"},
    ["S0", "I0"],
    parameters=["beta", "gamma", "S0", "I0", "k"],
    observables={"reported": "k*I"},
)
"""N. D. Evans and others, Mathematical Biosciences 194 (2005) 175: scale is lost where a share of cases is seen."""

VIRUS = equations(
    {"T": "s - d*T - beta*T*v", "I": "beta*T*v - delta*I", "v": "p*I - c*v"},
    ["T0", "I0", "v0"],
    parameters=["s", "d", "beta", "delta", "p", "c", "T0", "I0", "v0"],
    observables={"load": "v"},
)
"""X. Xia and C. H. Moog, IEEE Transactions on Automatic Control 48 (2003) 330, from viral load alone."""


@dataclass(frozen=True)
class Case:
    """A question and its answer; ``together`` are groups of parameters with what can be learned of them."""

    name: str
    system: System
    observable: str
    identifiable: str
    together: tuple[tuple[str, str, int], ...] = ()
    free: str = ""
    doses: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def answer(self) -> Structural:
        return structural(self.system, self.free.split() or self.system.parameters, [self.observable], doses=self.doses)


def one_state(rate: str, parameters: str, start: str = "1", observed: str = "x") -> System:
    return equations({"x": rate}, [start], parameters=parameters.split(), observables={"y": observed})


CASES = (
    Case("oral", ORAL, "C", "ka", (("F V CL", "F/V F/CL", 0),)),
    Case("oral, bioavailability known", ORAL, "C", "V CL ka", free="V CL ka"),
    Case("oral and venous", ORAL_AND_VENOUS, "C", "F V CL ka"),
    Case("oral of both", ORAL_AND_VENOUS, "C", "ka", (("F V CL", "F/V F/CL", 0),), doses=("in",)),
    Case("response to one dose", RESPONSE, "y", "", (("a b", "", 1),)),
    Case("response to two doses", RESPONSE, "y", "a b", doses=("in", "in")),
    Case("roots, and two doses", ROOTS, "y", "a b", doses=("in", "in")),
    Case("two compartments", TWO_COMPARTMENTS, "C", "", (("F V W CL Q", "F/V F/W F/CL F/Q", 0),)),
    Case("two compartments, dose known", TWO_COMPARTMENTS, "C", "V W CL Q", free="V W CL Q"),
    # Known are k10 + k12, k20 + k21 and k12·k21: the loss from either compartment may stand for that from the other.
    Case("Bellman and Åström", THREE_RATES_AND_LOSS_FROM_BOTH, "C", "V",
         (("k10 k12 k21 k20", "k12·k21 k10+k12 k21+k20", 0),)),
    Case("Michaelis and Menten", MICHAELIS_MENTEN, "C", "V Vmax Km"),
    Case("Michaelis and Menten, F", UNKNOWN_BIOAVAILABILITY, "C", "Km", (("F V Vmax", "F/V F/Vmax", 0),)),
    Case("Lotka and Volterra", LOTKA_VOLTERRA, "prey", "a c d x0", (("b y0", "b·y0", 0),)),
    Case("epidemic", EPIDEMIC, "reported", "gamma", (("beta S0 I0 k", "beta·S0 beta·I0 beta/k", 0),)),
    Case("virus", VIRUS, "load", "d beta delta c v0", (("s p T0 I0", "s·p s/T0 s/I0", 0),)),
    Case("sum", one_state("-(a + b)*x", "a b"), "y", "", (("a b", "a+b", 0),)),
    Case("difference", one_state("-(a - 2*b)*x", "a b"), "y", "", (("a b", "a-2·b", 0),)),
    Case("complement", one_state("-d*(1 - g)*x", "d g"), "y", "", (("d g", "d·(1-g)", 0),)),
    Case("odds", one_state("-d*f/(1 - f)*x", "d f"), "y", "", (("d f", "d·f/(1-f)", 0),)),
    Case("one more", one_state("-l*(1 + 1/e)*x", "l e"), "y", "", (("l e", "l·(1+e)/e", 0),)),
    Case("power", one_state("-a**2/b**3*x", "a b"), "y", "", (("a b", "a^2/b^3", 0),)),
    Case("no form", one_state("-(a + b*c)*x", "a b c"), "y", "", (("a b c", "", 1),)),
    Case("no trace", one_state("-a*x", "a b"), "y", "a", (("b", "", 0),)),
    Case("Hill exponent", one_state("-hill(x, h, n)", "h n"), "y", "h n"),
    Case("root", one_state("-k*x**0.5", "k s", "s", "s*x"), "y", "k s"),
    # The first six coefficients are zero whatever the parameter: a special state of the system.
    Case("late", equations({"u": "1", "x": "a*u**6"}, ["0", "0"], parameters=["a"], observables={"y": "x"}), "y", "a"),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_can_be_learned_is_what_is_known_to_be(case: Case) -> None:
    found = case.answer
    together = tuple((" ".join(group.parameters), group.functions, group.others) for group in found.together)
    assert " ".join(found.identifiable) == case.identifiable
    assert [
        (names, " ".join(text.replace(" ", "") for text in texts), others) for names, texts, others in together
    ] == [*case.together]
    counted = [len(group.functions) + group.others for group in found.together]
    assert found.rank == len(found.identifiable) + sum(counted)


def test_a_parameter_alone_is_learned_once_its_companions_are_known() -> None:
    for name in ("F", "V", "CL"):
        assert structural(ORAL, [name, "ka"], ["C"]).identifiable == (name, "ka")


def test_orders_are_reported_and_the_search_ends_with_the_last_parameter() -> None:
    late = next(case for case in CASES if case.name == "late").answer
    assert (late.order, late.searched) == (7, 7)
    oral = structural(ORAL, ORAL.parameters, ["C"])
    # Three functions from C′, C″ and C‴, and no more in a search that is longer than states and parameters.
    assert (oral.rank, oral.order, oral.searched) == (3, 3, 16)


X = Species("x", "amount", DIMENSIONLESS, 1)


def lost_at(rate: str, values: dict[str, float]) -> tuple[str, ...]:
    """Which of the parameters named in capitals can be learned when the others are known."""
    units = {"S": unit("d"), "n": DIMENSIONLESS}
    mechanism = Mechanism(
        "loss",
        "a loss",
        species=(X,),
        reactions=(Reaction("loss", parse_expression(rate), {X: -1}),),
        observables=(Observable("y", "amount", DIMENSIONLESS, X.symbol),),
        parameters=tuple(Parameter(name, name, value, units.get(name, unit("1/d"))) for name, value in values.items()),
    )
    free = [name for name in values if name.isupper()]
    return structural(compose([mechanism]), free, ["y"]).identifiable


def test_a_known_zero_switches_off_and_other_known_numbers_are_generic() -> None:
    assert lost_at("(k + K*n)*x", {"k": 2.0, "K": 1.0, "n": 0.0}) == ()
    assert lost_at("(k + K*n)*x", {"k": 2.0, "K": 1.0, "n": 0.5}) == ("K",)
    assert lost_at("(k + K*(1 - n))*x", {"k": 2.0, "K": 1.0, "n": 1.0}) == ()


def test_a_known_whole_exponent_keeps_its_value() -> None:
    assert lost_at("K*x**n + L*x**2", {"K": 1.0, "L": 1.0, "n": 2.0}) == ()
    assert lost_at("K*x**n + L*x**2", {"K": 1.0, "L": 1.0, "n": 2.5}) == ("K", "L")


def test_what_begins_later_is_looked_at_from_then_on() -> None:
    ramp = "K*x*max(t - S, 0)/S"
    assert lost_at(ramp, {"K": 1.0, "S": 14.0}) == ("K", "S")
    assert lost_at("K*x*abs(t - S)/S", {"K": 1.0, "S": 14.0}) == ("K", "S")
    # Begun before time zero, and never begun.
    assert lost_at("K*x*max(S + t, 0)/S", {"K": 1.0, "S": 14.0}) == ("K", "S")
    assert lost_at("K*x*(1 + max(-S, 0)/S)", {"K": 1.0, "S": 14.0}) == ("K",)


def refusal(system: System, free: list[str], observables: list[str], **more: list[str]) -> str:
    with pytest.raises(InputError) as caught:
        structural(system, free, observables, **more)
    return str(caught.value)


def test_names_that_the_model_lacks_are_refused() -> None:
    assert refusal(ORAL, ["Cl"], ["C"]) == "\n".join(
        [
            "error[identifiability.name]: the model has no parameter `Cl`",
            "  expected: one of CL, F, V, ka",
            "  try:      did you mean `CL`?",
        ]
    )
    assert refusal(ORAL, ["CL"], ["A"]) == "\n".join(
        ["error[identifiability.name]: the model has no observable `A`", "  expected: one of C"]
    )
    assert refusal(VIRUS, ["c"], ["load"], doses=["in"]) == "\n".join(
        ["error[identifiability.name]: the model has no route `in`", "  expected: no route: the model has none"]
    )


def test_bends_in_the_state_are_refused() -> None:
    assert refusal(one_state("-max(x - a, 0)", "a"), ["a"], ["y"]) == "\n".join(
        [
            "error[identifiability.bend]: "
            "identifiability cannot be decided where an expression bends as the state or time will have it",
            "  --> term `max(0, x - a)`",
            "  expected: bends at times that parameters set, such as max(t - start, 0), "
            "in a model that has their values",
            "  try:      leave the mechanism out for this question, or choose observables that do not need it",
        ]
    )


def test_what_an_observable_does_not_need_is_not_looked_at() -> None:
    system = equations(
        {"x": "-a*x", "y": "-max(y - x, 0)"}, [1.0, 1.0], parameters=["a"], observables={"x": "x", "y": "y"}
    )
    assert structural(system, ["a"], ["x"]).identifiable == ("a",)


def test_the_answer_is_told_in_sentences() -> None:
    told = Structural(
        free=("a", "b", "c", "d", "e", "f"),
        observables=("x", "y"),
        identifiable=("a",),
        together=(
            Together(("b", "c"), ("b·c",), 0),
            Together(("d", "e", "f"), ("d + e",), 1),
            Together(("g",), (), 0),
            Together(("h", "i", "j"), (), 2),
        ),
        rank=6,
        order=3,
        searched=9,
    )
    assert told.lines() == (
        "1 of 6 parameters could be learned by themselves from noise-free x, y: a",
        "b and c: only b·c",
        "d, e and f: only d + e and 1 further function of d, e and f",
        "g: no trace in these observables",
        "h, i and j: only 2 functions of h, i and j",
    )
