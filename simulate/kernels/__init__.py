"""Models to compiled code: equations are written out, simplified, and compiled for blocks of patients.

The only room that knows symbols and machine code both; it knows nothing of doses, patients or trials. `system` lowers
a model to equations in pure numbers, `blueprint` and `hoisting` take them apart into straight-line programs,
`lowering` makes of these operations of one `form`, which printers take and nothing else: `print_llvm` for the
processor, `print_text` for readers, other compilers and other languages (`cuda`, `javascript`), `print_table` for what
is too long to be compiled. `build` puts a `kernel` together: begin there. `of_model` asks for it, and has from disk
what an earlier process built. Beside it are derivatives (`sensitivities`), Taylor series (`taping`, `jets`), what
happens in time by itself (`timed`, `clock`), steady states (`equilibria`, `continuation`) and the oracle (`reference`).
"""
