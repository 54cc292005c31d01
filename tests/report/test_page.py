"""The page as a file: nothing active, nothing fetched, everything escaped, readable by ear and by eye."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest
import report_studies as studies

from netgain.facts import Facts
from netgain.report import render_report, write_report

VOID = {"meta", "circle", "path", "line", "rect"}
EVIL = '<script>alert("1")</script>&amp;`x`'


class Outline(HTMLParser):
    """Tags, ids, headings and text of a page; a tag that is not closed is an error."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.headings, self.words = [], [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with studies.write(tmp_path_factory.mktemp("study")) as log:
        yield log


@pytest.fixture(scope="module")
def page(log):
    return render_report(studies.facts_in(log))


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def test_nothing_in_it_runs_or_is_fetched(page, outline):
    assert not {"script", "link", "img", "iframe", "object", "form", "base", "a"} & set(outline.tags)
    names = {name for _, attributes in outline.attributes for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "href", "style", "action")}
    assert set(re.findall(r"https?://[^\"'\s<]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) == {"#hatch"}


def test_its_policy_allows_its_own_style_and_nothing_else(page, outline):
    policy = next(
        one["content"] for tag, one in outline.attributes if one.get("http-equiv") == "Content-Security-Policy"
    )
    style = page.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_it_is_small(page):
    assert len(page.encode()) < 2_000_000


def test_headings_go_down_one_step_at_a_time(outline):
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(outline.headings))


def test_every_picture_has_a_name_a_description_and_its_numbers(page, outline):
    ids = [one["id"] for _, one in outline.attributes if "id" in one]
    assert len(ids) == len(set(ids))
    plots = [one for tag, one in outline.attributes if tag == "svg" and one.get("aria-hidden") != "true"]
    assert len(plots) > 10
    for one in plots:
        assert one["role"] == "img"
        assert set(one["aria-labelledby"].split()) <= set(ids)
    for figure in page.split("<figure>")[1:]:
        assert "<table>" in figure.split("</figure>")[0].split("<details>")[1]


def test_every_status_is_shape_word_and_colour(page):
    marks = re.findall(r'class="mark (\w+)"[^>]*>(.*?)</(?:span|p)>', page, re.DOTALL)
    assert marks
    for status, inside in marks:
        assert status in ("good", "part", "watch", "open", "bad")
        assert "<svg" in inside
        assert re.sub(r"<svg.*?</svg>", "", inside, flags=re.DOTALL).strip()


def test_wide_things_scroll_in_their_own_box(outline):
    boxes = [one for _, one in outline.attributes if one.get("class") in ("scroll", "picture")]
    assert len(boxes) == outline.tags.count("table") + len([one for one in boxes if one["class"] == "picture"])
    assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in boxes)


def test_text_of_a_candidate_stays_text(tmp_path):
    with studies.write(tmp_path, ends={**studies.ENDS, EVIL: 5}, name=EVIL) as log:
        page = render_report(studies.reduce(studies.altered(log, "decision", reason=EVIL, surface=EVIL)))
    assert "<script" not in page
    assert "script" not in Outline(page).tags
    assert "alert" in " ".join(Outline(page).words)


def test_every_section_that_was_promised_is_there(page):
    for words in (
        "Four questions", "Generations and controls", "Paired differences", "Where the loop&#39;s gain comes from",
        "Data of its own making", "Three yardsticks, and inflation", "Guards and other axes", "Rungs",
        "Bounds set by people", "Spend",
        "Decisions",
        "Looks, seal and drift", "What would change this verdict", "Not shown by this evidence", "Check it yourself",
    ):  # fmt: skip
        assert f">{words}</h2>" in page
    assert "netgain verify ." in page
    assert "c1" * 32 in page


def test_equal_tables_give_equal_bytes_in_any_process(log, page):
    code = (
        "import sys; from pathlib import Path; from netgain.ledger import Ledger; from netgain.seal import facts_of; "
        "from netgain.report import render_report; log = Ledger.open(Path(sys.argv[1]), readonly=True); "
        "sys.stdout.buffer.write(render_report(facts_of(log)).encode())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4", "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.run(
        [sys.executable, "-c", code, str(log.folder)], capture_output=True, env=environment, check=True
    )
    assert made.stdout == page.encode()


def test_the_file_is_the_page(log, page, tmp_path):
    path = write_report(tmp_path, studies.facts_in(log))
    assert path == tmp_path / "report.html"
    assert path.read_text("utf-8") == page


@pytest.mark.parametrize("upto", [0, 3, 30])
def test_an_unfinished_study_has_a_page_without_a_verdict(tmp_path, upto):
    with studies.write(tmp_path, upto=upto) as log:
        page = render_report(studies.facts_in(log))
    outline = Outline(page)
    assert "not decided yet" in page
    assert not re.search("SUPPORTED</span>|REFUTED</span>", page)
    assert "Paired differences" not in page
    assert outline.headings[0] == 1


def test_a_log_without_a_claim_has_a_page():
    assert "No claim is registered" in render_report(Facts())


def test_a_refuted_claim_names_what_was_not_shown(tmp_path):
    with studies.write(tmp_path, arm="placebo", rung="R1", by=0.4) as log:
        page = render_report(studies.facts_in(log))
    assert re.search(r"REFUTED</span></h1>", page)
    assert "net gain of <code>placebo</code> is not above 0.4" in page


def test_a_start_without_a_score_is_shown_as_missing(tmp_path):
    with studies.write(tmp_path) as log:
        events = list(log.events())
    lost = [one for one in events if one.run == "r1/stacked" and one.data.get("split") == "sealed"]
    page = render_report(studies.reduce(one for one in events if one not in lost))
    assert "no score" in page


# ---- colour


def palettes():
    style = resources.files("netgain.report").joinpath("style.css").read_text("utf-8")
    light, dark = (block for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2])
    first = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return {"light": first, "dark": {**first, **dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))}}


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "ink", ["ink", "soft", "own", "c1", "c2", "c3", "c4", "other", "good", "part", "open", "watch", "bad"]
)
def test_every_text_colour_can_be_read_on_every_ground(scheme, ink):
    colours = palettes()[scheme]
    for ground in ("page", "card", "strong"):
        assert contrast(colours[ink], colours[ground]) >= 4.5, (scheme, ink, ground)
