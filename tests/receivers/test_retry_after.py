"""What a `Retry-After` header means."""

from __future__ import annotations

import pytest

from receivers.retry_after import retry_after

DATE = {"Date": "Tue, 24 Nov 2026 08:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "30"}, 30_000),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "99999999999999999999"}, 3_600_000),
        (DATE | {"Retry-After": "Tue, 24 Nov 2026 08:01:00 GMT"}, 60_000),
        (DATE | {"Retry-After": "Tue, 24 Nov 2026 07:00:00 GMT"}, 0),
        (DATE | {"Retry-After": "Wed, 25 Nov 2026 08:00:00 GMT"}, 3_600_000),
        ({"Retry-After": "Tue, 24 Nov 2026 08:01:00 GMT"}, None),
        (DATE | {"Retry-After": "Tue, 24 Nov 2026 08:01:00 -0000"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_seconds_and_dates_become_milliseconds(headers: dict[str, str], expected: int | None) -> None:
    assert retry_after(headers) == expected
