"""`netgain scan`: what is blocked, what is for review, which items are affected, and the exit code."""

import json

import pytest

QUESTION = "Which of the seven small rivers of the northern plain reaches the sea without meeting another river first?"


@pytest.fixture
def items(netgain_home):
    rows = [
        {"id": "g1", "input": QUESTION, "target": "the third", "split": "gate"},
        {"id": "g2", "input": [3, 1, 2], "target": [1, 2, 3], "split": "gate"},
        {"id": "s1", "input": "Say why.", "target": " ".join(f"because{k}" for k in range(20)), "split": "sealed"},
        {"id": "d1", "input": "This one may be used by the loop as it likes to use it, always.", "split": "dev"},
        {"input": "no split and no id"},
    ]
    path = netgain_home / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def made(netgain_home):
    folder = netgain_home / "made"
    (folder / "deep").mkdir(parents=True)

    def write(name, text):
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    write("notes.txt", "nothing here\nnor here\n")
    return write


def test_clean_is_0_and_says_what_was_not_run(cli, items, made):
    said = cli("scan", made("deep/a.jsonl", '{"x": 1}\n\n["y"]\n'), "--items", items, "--json")
    record = said.record
    assert (said.code, record["schema"], record["documents"], record["items"]) == (0, "netgain.scan/1", 3, 4)
    assert record["splits"] == {"gate": 2, "sealed": 1, "unstated": 1} and record["clean"] is True
    assert record["blocked"] == record["review"] == record["affected"] == record["doubtful"] == []
    near = record["near"]
    assert (near["run"], near["library"], near["pairs"]) == (False, None, None) and "--near" in near["pairs_reason"]
    text = cli("scan", made("more.txt", "x"), "--items", items)
    assert "0 blocked, 0 for review" in text.out and "not run" in text.out


def test_what_blocks_is_3_and_is_named_but_not_quoted(cli, items, made):
    made("copy.txt", f"first\nsee: {QUESTION.lower()}\n")
    folder = made("deep/rows.jsonl", json.dumps({"q": "ok"}) + "\n" + json.dumps({"q": [3, 1, 2]}) + "\n")
    said = cli("scan", folder, "--items", items, "--json")
    found = {one["document"].removeprefix(f"{folder}/"): one["hits"] for one in said.record["blocked"]}
    assert said.code == 3 and said.record["affected"] == ["g1", "g2"] and said.record["clean"] is False
    assert found["copy.txt"] == [{"rule": "block", "items": ["g1"], "runs": 6, "line": 2}]
    (row,) = found["deep/rows.jsonl:2"]
    assert (row["rule"], row["items"], row["line"]) == ("exact", ["g2"], None) and row["line_reason"]
    text = cli("scan", folder, "--items", items)
    assert text.code == 3 and f"{folder}/copy.txt:2  block  g1" in text.out and "2 blocked" in text.out
    assert "rivers" not in text.out and "rivers" not in said.out


def test_what_is_for_review_only_is_4_and_a_background_clears_it(cli, items, made, netgain_home):
    part = " ".join(QUESTION.split()[:10])
    folder = made("part.txt", part)
    said = cli("scan", folder, "--items", items, "--json")
    assert (said.code, said.record["doubtful"], said.record["affected"]) == (4, ["g1"], [])
    (netgain_home / "known.txt").write_text(part, encoding="utf-8")
    assert cli("scan", folder, "--items", items, "--background", "known.txt").code == 0


def test_a_split_narrows_what_is_looked_for(cli, items, made):
    folder = made("answer.txt", " ".join(f"because{k}" for k in range(20)))
    assert cli("scan", folder, "--items", items, "--split", "gate").code == 0
    assert cli("scan", folder, "--items", items, "--split", "gate", "--split", "sealed").code == 3
    folder = made("answer.txt", "This one may be used by the loop as it likes to use it, always.")
    assert cli("scan", folder, "--items", items).code == 0
    assert cli("scan", folder, "--items", items, "--split", "dev").code == 3


def test_near_is_for_review(cli, items, made):
    pytest.importorskip("rensa")
    folder = made("near.txt", QUESTION.replace("northern", "southern"))
    assert cli("scan", folder, "--items", items, "--near", "--json").record["near"]["run"] is True


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.bin", b"\x89PNG\x00\x1a", "not text"),
        ("a.txt", b"caf\xe9", "byte 3 is no UTF-8"),
        ("a.txt", b"a\0b", "zero byte"),
        ("a.jsonl", b"{'a': 1}\n", "not JSON"),
        ("a.jsonl", b'{"a": NaN}\n', "neither text nor JSON"),
    ],
)
def test_what_cannot_be_read_is_no_clean_scan(cli, items, made, name, data, what):
    folder = made("x.txt", "x")
    (folder / name).write_bytes(data)
    said = cli("scan", folder, "--items", items, "--json")
    assert said.code == 2 and what in said.record["what"] and said.record["fix"]
    assert name in (said.record["where"] or said.record["what"])


def test_wrong_words_are_refused(cli, items, made, netgain_home):
    folder = made("x.txt", "x")
    assert cli("scan", "nowhere", "--items", items).code == 2
    assert cli("scan", folder, "--items", "nowhere.jsonl").code == 2
    (netgain_home / "empty").mkdir()
    assert cli("scan", "empty", "--items", items).code == 2
    (netgain_home / "bad.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    assert "'input'" in cli("scan", folder, "--items", "bad.jsonl").err
    (netgain_home / "dev.jsonl").write_text('{"input": "a", "split": "dev"}\n', encoding="utf-8")
    assert cli("scan", folder, "--items", "dev.jsonl").code == 2
    assert "gtae" in cli("scan", folder, "--items", "dev.jsonl", "--split", "gtae").err
