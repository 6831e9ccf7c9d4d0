"""A story as a page: its picture, its table, and that nothing in it comes from elsewhere or runs."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from gateway.simulation.page import bars, page
from gateway.simulation.report_html import html

EMPTY = {"meta", "link", "br", "img"}


class Elements(HTMLParser):
    """What a browser would find; each element is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def picture(text):
    return ET.fromstring(re.search(r"<svg role.*?</svg>", text, re.DOTALL)[0])


def titles(text):
    return [one.text for one in picture(text).iter("title")]


def test_the_picture_has_a_mark_for_each_message_filled_where_it_is_heard(night):
    drawn = picture(html(night, "night"))
    marks = {mark.find("title").text: mark[1].get("fill") for mark in drawn.iter("g")}
    assert len(marks) == 6
    assert (
        marks["+5:00 ring dana by Slack, #1, step 2: step 2: nobody has acknowledged for 5 min"]
        == "var(--bad)"
    )
    assert marks["+8:00 update #backend (team backend) by Slack, #1: acknowledged"] == "var(--card)"


def test_there_is_a_lane_for_whoever_is_told_and_a_band_while_somebody_has_it(night):
    drawn = html(night, "night")
    names = [name.tail for name in picture(drawn).iter("title") if name.tail]
    assert names == ["#1 alertname=ApiDown", "pagerduty", "team backend", "dana", "lee"]
    assert titles(drawn).count("#1 is acknowledged") == 1
    assert titles(drawn).count("#1 is triggered") == 1


def test_times_are_those_of_the_zone_and_counted_from_the_first_firing(night):
    words = " ".join(Elements(html(night, "night", ZoneInfo("Europe/Berlin"))).text)
    assert "Thursday, 24 December 2026, 03:00:00 CET" in words
    assert "Thu 03:05:00" in words
    assert "+40:00" in words


def test_repeats_are_a_dotted_line_between_two_marks(repeats):
    drawn = html(repeats, "repeats")
    assert len(list(picture(drawn).iter("circle"))) == 2
    assert "42 times, every 4h5m" in drawn
    assert "more would follow" in drawn


def test_where_nobody_is_told_it_says_so_and_why(silent):
    words = " ".join(" ".join(Elements(html(silent, "silent")).text).split())
    assert "Nobody is told. held: 1 alert, silence s1 by kim" in words


@pytest.mark.parametrize("name", ["night", "repeats", "silent", "hostile"])
def test_nothing_in_it_runs_or_is_loaded_and_it_is_well_formed(name, request):
    text = html(request.getfixturevalue(name), "<b>&" + "\x00")
    found = Elements(text).found
    assert not {tag for tag, _ in found} & {"script", "link", "img", "iframe", "object", "b", "use", "image"}
    assert not {key for _, attributes in found for key in attributes} & {
        "src",
        "href",
        "srcset",
        "xlink:href",
    }
    assert not [key for _, attributes in found for key in attributes if key.startswith("on")]
    assert not re.search(r"url\(|@import|\x00|\x1b|\u202e", text)
    assert "script-src" not in text
    assert (
        "meta",
        {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"},
    ) in found


def test_what_does_not_see_the_picture_has_its_name_and_the_table(night):
    found = Elements(html(night, "night")).found
    (name,) = (attributes["aria-label"] for tag, attributes in found if attributes.get("role") == "img")
    assert name == "Who is told when: 6 messages, 4 ways of telling"
    assert [tag for tag, _ in found].count("tr") == 12
    assert ("html", {"lang": "en"}) in found


def test_a_story_without_a_line_has_no_picture(silent):
    silent.lines.clear()
    silent.incidents = {}
    assert "<figure>" not in html(silent, "nothing")


def test_bars_stand_beside_each_other_and_say_their_numbers():
    text = page("Pages", bars("Pages by hour", ["<0>", "1"], {"old": [2, 0], "new": [1, 4]}))
    found = [one.text for one in ET.fromstring(re.search(r"<svg.*?</svg>", text, re.DOTALL)[0]).iter("title")]
    assert found == ["<0>, old: 2", "<0>, new: 1", "1, new: 4"]
    assert "Hollow: old; solid: new." in text
