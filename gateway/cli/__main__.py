"""`python -m gateway.cli` is the command `tocsin`."""

from gateway.cli import main

main()
