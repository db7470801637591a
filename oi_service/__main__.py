"""``python -m oi_service``: the same as ``oi``."""

from oi_service.cli import main

main()
