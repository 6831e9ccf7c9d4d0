"""Configurations with one mistake each: both refuse them, and ours says where, what and what was expected.

`broken.txt` has them one after the other: behind `###` a name, behind `#` what we say (`…` is any text), the
file.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from config.load import ConfigError, load_text

TEXT = (Path(__file__).parent / "broken.txt").read_text()


class Broken(NamedTuple):
    name: str
    said: str
    text: str


BROKEN = [
    Broken(*case.removeprefix("### ").replace("\n# ", "\n", 1).split("\n", 2)) for case in TEXT.split("\n\n")
]
every_mistake = pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)


@every_mistake
def test_a_mistake_is_told_with_its_place_and_what_was_expected(broken):
    with pytest.raises(ConfigError) as refused:
        load_text(broken.text, "alertmanager.yml", {})
    (problem,) = map(str, refused.value.problems)
    beginning, _, end = broken.said.partition("…")
    assert problem.startswith(f"alertmanager.yml:{beginning}")
    assert problem.endswith(end)


@pytest.mark.e2e
def test_amtool_refuses_each_of_them_too(tmp_path, amtool):
    files = [tmp_path / f"{number}.yml" for number in range(len(BROKEN))]
    for file, broken in zip(files, BROKEN, strict=True):
        file.write_text(broken.text)
    taken = amtool.each(amtool.takes, files)
    assert [broken.name for broken, good in zip(BROKEN, taken, strict=True) if good] == []
    assert len(BROKEN) > 40
