"""``python -m simulate`` is the command ``simulate``."""

from __future__ import annotations

from simulate.cli.app import main

if __name__ == "__main__":
    main()
