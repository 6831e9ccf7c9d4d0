"""Why the store cannot be used now."""

from __future__ import annotations


class StoreUnavailableError(Exception):
    """Redis cannot be asked now; try again after `retry_after_s` seconds."""

    def __init__(self, reason: str, retry_after_s: int = 5) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class PlanChangedError(StoreUnavailableError):
    """Another configuration is in force: load it before going on."""

    def __init__(self) -> None:
        super().__init__("another configuration is in force; this process must load it first", 1)


class SchemaError(Exception):
    """The records are of another schema than this version of Tocsin reads and writes."""

    def __init__(self) -> None:
        super().__init__("this store was written by another version of Tocsin, which this one cannot read")
