"""`tocsin version`."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `--help` is quick

from gateway.cli.options import Output


def version(*, output: Output = "text") -> None:
    """Print the version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    from gateway.cli import output as out

    try:
        number = installed("tocsin")
    except PackageNotFoundError:  # run from a source tree that was never installed
        number = "unknown"
    if output == "json":
        out.write_json({"version": number})
    else:
        out.write_line(f"tocsin {number}")
