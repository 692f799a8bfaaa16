"""Models to compiled code: equations are written out, simplified, and compiled for blocks of patients.

The only room that knows symbols and machine code both; it knows nothing of doses, patients or trials. `system` lowers
a model to equations in pure numbers, `blueprint` and `hoisting` take them apart into straight-line programs,
`emission` prints these, and `build` compiles them: begin there. Beside it are derivatives (`sensitivities`), Taylor
series (`tape`, `jets`), steady states (`equilibria`, `continuation`), other targets (`cuda`, `javascript`) and the
oracle (`reference`).
"""
