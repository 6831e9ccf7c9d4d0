"""All checks together: those of `config/findings/` and those that need the receivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.findings import families
from receivers import findings as templates

if TYPE_CHECKING:
    from config.findings.check import Check

CHECKS: Final[tuple[Check, ...]] = (*families.CHECKS, *templates.CHECKS)
CODES: Final = {check.code.id: check.code for check in CHECKS}
