"""Models to compiled code: equations are written out, simplified, and compiled for blocks of patients.

The only room that knows symbols and machine code both; it knows nothing of doses, patients or trials. `system` lowers
a model to equations in pure numbers, `blueprint` and `hoisting` take them apart into straight-line programs,
`lowering` makes of these operations of one `form`, which printers take and nothing else: `print_llvm` for the
processor, `print_text` for readers, other compilers and other languages (`cuda`, `javascript`), `print_table` for what
is too long to be compiled. `build` puts it together: begin there. Beside it are derivatives (`sensitivities`), Taylor
series (`tape`, `jets`), steady states (`equilibria`, `continuation`) and the oracle (`reference`).
"""
