"""Text of candidates in a real browser: a hundred scripts in every place of the report, of which none runs."""

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser

import pytest
import report_studies as studies
from payloads import payloads

from netgain.report import render_report
from netgain.report.page import prose
from netgain.testing.trials import record

pytestmark = pytest.mark.counted

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium: apt-get install chromium")
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
TEXTS = payloads()
LEFT_OPEN = "script style iframe title textarea template noscript object video audio picture details svg math p a form"
ENDS = "-->" + "".join(f"</{name}>" for name in LEFT_OPEN.split())  # so that one text does not swallow the next


def ran(page, tmp_path):
    """Numbers of the payloads that ran when a browser opened the page."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8", errors="replace")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}",
               "--virtual-time-budget=3000", "--dump-dom", path.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "<html" in done.stdout, done.stderr
    title = re.search(r'<html[^>]*? title="([^"]*)"', done.stdout)
    return {int(number) for number in re.findall(r"\d+", title[1])} if title else set()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report with every payload in the name of an arm, the recipe, the claim, and what a loop said."""
    pieces = {f"{number} {''.join(TEXTS[number::4])}": 5 for number in range(4)}
    every = "".join(TEXTS)
    with studies.write(
        tmp_path_factory.mktemp("study"), ends={**studies.ENDS, **pieces}, name=every, starts=every
    ) as log:
        return render_report(studies.reduce(studies.altered(log, "decision", reason=every, surface=every)))


class Words(HTMLParser):
    """Text of a page, and its tags."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.words, self.tags = [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_the_corpus_is_as_large_as_it_says():
    assert len(TEXTS) >= 100 and len(set(TEXTS)) == len(TEXTS)


def test_the_payloads_are_in_the_page_as_text(page):
    read = Words(page)
    live = {"script", "iframe", "img", "object", "embed", "video", "audio", "input", "form", "base"} & read.tags
    record("G20", "scripts in a report, which a parser reads as text", trials=len(TEXTS), failures=len(live),
           seed=None, command="pytest tests/report/test_injection.py")  # fmt: skip
    assert live == set()
    text = re.sub(r"\s+", " ", " ".join(read.words))
    for one in ("<script>document", "onerror=document", "srcdoc=", "javascript:document", "{ 7 * 191 }"):
        assert one in text
    assert "1337" not in page  # nothing computed 7 * 191


@needs_browser
def test_no_script_runs_even_without_the_policy(page, tmp_path):
    bare, count = POLICY.subn("", page)
    found = ran(bare, tmp_path)
    record("G20", "scripts in a report, opened in a browser without its policy", trials=len(TEXTS), failures=len(found),
           seed=None, command="pytest tests/report/test_injection.py")  # fmt: skip
    assert count == 1
    assert found == set()


@needs_browser
def test_the_same_texts_as_markup_do_run_and_the_policy_alone_stops_them(page, tmp_path):
    body = "".join(f"<div>{text}{ENDS}</div>" for text in TEXTS)
    naive = f"<!DOCTYPE html><html><head><title>x</title></head><body>{body}</body></html>"
    found = ran(naive, tmp_path)
    assert len(found) >= 60, sorted(set(range(len(TEXTS))) - found)
    policy = POLICY.search(page)[0]
    assert ran(naive.replace("<title>", f"{policy}<title>"), tmp_path) == set()


def test_escaping_is_what_it_rests_on(tmp_path):
    for text in TEXTS:
        assert "<" not in escape(text) and Words(prose(text)).tags <= {"code"}
