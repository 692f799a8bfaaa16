"""Refinements and rival structures that a hypothesis can be combined with, all by name, such as ``H1+renewal``."""

from __future__ import annotations

from simulate.biology.binding import BINDING_OVER_TIME
from simulate.biology.cell_receptors import H1_ON_ACTIVATED, RECEPTOR_DECOY, RECEPTOR_NUMBER, RECEPTOR_NUMBER_AND_DECOY
from simulate.biology.clinical import CLINICAL_RESPONSE
from simulate.biology.conversion import H2_CYTOKINES, H2_IL12
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.culture_experiments import MEMORY_DISH, PRIMING_DISH, STRENGTH_DISH
from simulate.biology.cytokines import SERUM_CYTOKINES
from simulate.biology.expansion import NON_SELECTIVE_EXPANSION
from simulate.biology.ifng_brake import IFNG_BRAKE
from simulate.biology.il1_loops import CAPS, LOOP_IL17
from simulate.biology.il10 import IL10
from simulate.biology.local_antagonist import LOCAL_IL1RA
from simulate.biology.macrophages import INFILTRATE
from simulate.biology.pharmacokinetics_occasions import ON_OCCASIONS
from simulate.biology.pharmacokinetics_twins import TWIN
from simulate.biology.priming_by_cytokines import H1_CYTOKINES, H1_IL6_IL12
from simulate.biology.receptors import SPARE_A, SPARE_B
from simulate.biology.redistribution import H4_IN_DERMATOMYOSITIS, H4_RESIDENT
from simulate.biology.regulatory import TREG_LEAK
from simulate.biology.renewal import SELF_RENEWAL
from simulate.biology.responders import MUSCLE_BY_TH17, PENETRATION
from simulate.biology.senescence import CD28NULL_MEMORY
from simulate.biology.sites import TWO_SITES
from simulate.biology.suppression import TREG_SUPPRESSION
from simulate.biology.switch import H2_SWITCH

OPTIONS = (
    BINDING_OVER_TIME,
    CAPS,
    CD28NULL_MEMORY,
    CK_DRIFT,
    CLINICAL_RESPONSE,
    H1_CYTOKINES,
    H1_IL6_IL12,
    H1_ON_ACTIVATED,
    H2_CYTOKINES,
    H2_IL12,
    H2_SWITCH,
    H4_IN_DERMATOMYOSITIS,
    H4_RESIDENT,
    IFNG_BRAKE,
    IL10,
    INFILTRATE,
    LOCAL_IL1RA,
    LOOP_IL17,
    MEMORY_DISH,
    MUSCLE_BY_TH17,
    NON_SELECTIVE_EXPANSION,
    ON_OCCASIONS,
    PENETRATION,
    PRIMING_DISH,
    RECEPTOR_DECOY,
    RECEPTOR_NUMBER,
    RECEPTOR_NUMBER_AND_DECOY,
    SELF_RENEWAL,
    SERUM_CYTOKINES,
    SPARE_A,
    SPARE_B,
    STRENGTH_DISH,
    TREG_LEAK,
    TREG_SUPPRESSION,
    TWIN,
    TWO_SITES,
)
"""Every option, sorted by the name of its value."""
