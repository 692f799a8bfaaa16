from __future__ import annotations

from dataclasses import replace

from sympy import Rational, Symbol

from simulate.symbolic.composition import compose
from simulate.symbolic.display import parameter_rows, show_equations, show_reactions, source_rows
from simulate.symbolic.parts import Definition, Mechanism, Reaction, Source, Spread
from simulate.symbolic.units import DIMENSIONLESS, unit
from tests.symbolic.small import DECAY, DRUG, LOSS, TABLE, THREE_POOLS

MODEL = compose(THREE_POOLS, values=TABLE)


def test_equations_are_shown_with_everything_they_refer_to() -> None:
    assert show_equations(MODEL) == (
        "Equations (t in days)\n"
        "  dN/dt = s_N - d_N*N - k_act*ratio*N   [cell/µL per day]\n"
        "  dA/dt = burst*k_act*ratio*N - A/tau_A   [cell/µL per day]\n"
        "  dM/dt = share*A/tau_A - d_M*M   [cell/µL per day]\n"
        "  dR/dt = -k_R*R   [nM per day]\n"
        "\n"
        "Definitions\n"
        "  occupancy_baseline = il1/(1 + il1)\n"
        "  signal_baseline    = occupancy_baseline/(e50 + occupancy_baseline)\n"
        "  occupancy          = il1/(1 + il1 + R/K_R)\n"
        "  signal             = occupancy/(e50 + occupancy)\n"
        "  ratio              = signal/signal_baseline\n"
        "\n"
        "Solved from the baseline\n"
        "  share = d_M*tau_A*M_0/A_0\n"
        "  burst = A_0/(k_act*tau_A*N_0)\n"
        "  s_N   = d_N*N_0 + k_act*N_0   [cell/µL/d]\n"
        "\n"
        "Initial values\n"
        "  N(0) = N_0   [cell/µL]\n"
        "  A(0) = A_0   [cell/µL]\n"
        "  M(0) = M_0   [cell/µL]\n"
        "  R(0) = 0   [nM]\n"
        "\n"
        "Observables\n"
        "  memory_share = M/(M + N)   [%]\n"
        "\n"
        "Doses\n"
        "  R per mg by injection = gain   [nM per mg]\n"
    )


def test_equations_are_shown_in_latex() -> None:
    half = Definition("half_life", "x", unit("h"), Rational(69, 100) / LOSS)
    sigma = Definition("sigma", "x", DIMENSIONLESS, 1 / (Rational(1, 3) + Symbol("half_life") * LOSS) ** Rational(1, 2))
    mass = replace(DRUG, unit=unit("mg"), initial=2.5)
    reaction = Reaction("loss", LOSS * mass / 2, {mass: -1})
    model = compose([replace(DECAY, species=(mass,), definitions=(half, sigma), reactions=(reaction,))])
    assert show_equations(model, latex=True) == (
        "\\paragraph{Equations (t in days)}\n"
        "\\begin{align*}\n"
        "\\frac{d\\,X}{dt} &= - 0.5\\,X\\,k && [\\mathrm{mg\\ per\\ day}]\n"
        "\\end{align*}\n"
        "\n"
        "\\paragraph{Definitions}\n"
        "\\begin{align*}\n"
        "\\mathrm{half}_{\\mathrm{life}} &= \\frac{0.69}{k} && [\\mathrm{h}] \\\\\n"
        "\\sigma &= \\frac{1}{\\sqrt{\\mathrm{half}_{\\mathrm{life}}\\,k + \\frac{1}{3}}}\n"
        "\\end{align*}\n"
        "\n"
        "\\paragraph{Initial values}\n"
        "\\begin{align*}\n"
        "X(0) &= 2.5 && [\\mathrm{mg}]\n"
        "\\end{align*}\n"
    )


def test_a_reaction_is_a_line_with_its_rate_and_changes() -> None:
    assert show_reactions(MODEL) == (
        "output: s_N  |  N +1\n"
        "death: d_N*N  |  N -1\n"
        "activation: k_act*ratio*N  |  A +burst, N -1\n"
        "leaving: A/tau_A  |  A -1, M +share\n"
        "loss: d_M*M  |  M -1\n"
        "clearance: k_R*R  |  R -1\n"
    )
    partial = replace(DECAY, reactions=(Reaction("loss", LOSS * DRUG, {DRUG: 1 - 2 * Symbol("q")}),))
    assert show_reactions(compose([partial], values={"q": replace(LOSS, name="q", unit=DIMENSIONLESS)})) == (
        "loss: k*X  |  X +(1 - 2*q)\n"
    )


def test_a_parameter_is_a_row_with_its_spread_in_words() -> None:
    wide = Mechanism("w", "w", parameters=(replace(LOSS, spread=Spread(1.2), value=1 / 3),))
    row = parameter_rows(compose([replace(DECAY, parameters=wide.parameters)]))
    assert row == [
        {
            "name": "k",
            "value": "0.333333",
            "unit": "1/d",
            "spread": "sd_log 1.2",
            "bounds": "",
            "grade": "assumed",
            "source": "user",
            "meaning": "loss",
        }
    ]
    rows = {row["name"]: (row["spread"], row["bounds"]) for row in parameter_rows(MODEL)}
    assert rows["N_0"] == ("CV 30 %", "100 to 600")
    assert rows["M_0"] == ("", "")


def test_a_reference_is_a_row_with_the_parameters_that_cite_it() -> None:
    sources = {"counts": Source("counts", "Counts", "none", "all"), "other": Source("other", "Other", "none", "all")}
    assert source_rows(MODEL, sources) == [
        {"key": "counts", "citation": "Counts", "identifier": "none", "read": "all", "parameters": "N_0 (assumed)"}
    ]
