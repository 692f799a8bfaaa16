"""Standing stress tests: for seconds in the suite, and for as long as ``IL1SIM_FUZZ_SECONDS`` says on demand."""
