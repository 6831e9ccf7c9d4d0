"""The classic matcher syntax agrees with Debian's amtool, which knows no other: what it takes, we take."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routing.matcher_syntax import classic
from routing.matchers import Matcher, MatcherError

pytestmark = pytest.mark.e2e

starts = st.sampled_from(["", "", "a=", "a=~", 'a="', '{a="', "a!~", "b=c,"])
rests = st.text(st.sampled_from('ab=!~"\\{},( \n:1|.\xa0'), max_size=8)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.builds(str.__add__, starts, rests))
@example(r'a="b\,c", d=e')
@example("{a=b,}")
@example(",")
def test_amtool_and_we_take_the_same_texts(tmp_path, require_peer, text):
    route = {"receiver": "r", "routes": [{"matchers": [text]}]}
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps({"route": route, "receivers": [{"name": "r"}]}))
    command = [require_peer("amtool"), "check-config", str(file)]
    theirs = subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    try:
        for one in classic(text):
            Matcher(one.name, one.op, one.value)
        ours = True
    except MatcherError:
        ours = False
    assert ours == theirs
