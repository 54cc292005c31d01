"""Items from files: the same bank whatever the format, and mistakes told with their row."""

import json
import sys
import types

import pytest

from netgain.errors import ConfigError
from netgain.files import File
from netgain.items import Dealer
from netgain.suite import Bank, axis

ROWS = [{"question": f"q {n}", "answer": f"a {n}", "page": f"p{n // 2}", "from": f"book {n}"} for n in range(60)]
COLUMNS = {"input": "question", "target": "answer", "cluster": "page", "provenance": "from"}


def written(folder, ending, rows=ROWS):
    path = folder / f"items{ending}"
    if ending == ".csv":
        lines = [",".join(rows[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_a_file_is_a_bank_of_its_rows(tmp_path, ending):
    bank = File(written(tmp_path, ending), **COLUMNS).bank()
    assert bank.items[3] == {"input": "q 3", "target": "a 3", "cluster": "p1", "provenance": "book 3"}
    assert len(bank.items) == 60
    assert axis("a", File(written(tmp_path, ending), **COLUMNS)).source == bank


def test_formats_names_and_paths_do_not_matter_for_the_digest_and_content_does(tmp_path):
    jsonl, csv = (File(written(tmp_path, ending), **COLUMNS).bank() for ending in (".jsonl", ".csv"))
    assert jsonl.spec() == csv.spec() and jsonl.spec()["generator"] == "bank"
    moved = written(tmp_path, ".jsonl").rename(tmp_path / "other.txt")
    assert File(moved, "jsonl", **COLUMNS).bank().spec() == jsonl.spec()
    other = [*ROWS[:-1], {**ROWS[-1], "answer": "b"}]
    assert File(written(tmp_path, ".csv", other), **COLUMNS).bank().spec() != jsonl.spec()


def test_a_file_is_dealt_like_a_bank_with_the_same_items(tmp_path):
    items = [{"input": row["question"], "target": row["answer"], "cluster": row["page"]} for row in ROWS]
    dealer, counts = Dealer(b"s" * 32, 2, 2), {"report_items": 4}
    file = axis("a", File(written(tmp_path, ".csv"), **COLUMNS), **counts)
    assert dealer.report(file, 0, 1).inputs == dealer.report(axis("a", Bank(items), **counts), 0, 1).inputs != []
    shares = {"sealed": 1.0}
    assert axis("a", File(written(tmp_path, ".csv"), shares=shares, **COLUMNS)).source.shares == shares


def test_without_a_column_provenance_is_the_row_and_rows_without_a_cluster_stand_alone(tmp_path):
    rows = [{"input": 1, "target": 2, "of": "x", "mark": "7"}, {"input": 3, "target": 4, "of": None, "mark": "8"}]
    bank = File(written(tmp_path, ".jsonl", rows), cluster="of", canary="mark").bank()
    assert bank.items[0] == {"input": 1, "target": 2, "cluster": "x", "provenance": "items.jsonl:1", "canary": "7"}
    assert "cluster" not in bank.items[1] and bank.items[1]["provenance"] == "items.jsonl:2"


@pytest.mark.parametrize(
    ("ending", "text", "said"),
    [
        (".jsonl", '{"input": 1, "target": 2}\n{"input": 1\n', "items.jsonl:2: not JSON"),
        (".jsonl", '{"input": 1, "target": NaN}\n', "NaN is no JSON number"),
        (".jsonl", "[1, 2]\n", "is no object"),
        (".jsonl", "\n \n", "no row"),
        (".jsonl", '{"input": 1, "answer": 2}\n', "row 1: no column 'target', found 'input', 'answer'"),
        (".csv", "input,target\n1,2\n3\n", "row 2: another number of cells than the 2 columns"),
        (".csv", "input,target\n1,2,3\n", "row 1: another number of cells"),
        (".csv", 'input,target\n"1,2\n', "not CSV"),
        (".xlsx", "?", "unknown format of a file '.xlsx', expected one of 'jsonl', 'csv', 'parquet'"),
    ],
)
def test_a_mistake_in_a_file_says_where(tmp_path, ending, text, said):
    path = tmp_path / f"items{ending}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        File(path).bank()
    assert said in str(error.value) and error.value.fix


def test_a_file_that_is_not_there_or_no_text_is_the_callers_mistake(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        File(tmp_path / "none.jsonl").bank()
    (tmp_path / "items.csv").write_bytes(b"input,target\n\xff,1\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        File(tmp_path / "items.csv").bank()


def test_parquet_without_its_library_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"needs pyarrow.*netgain\[parquet\]"):
        File(tmp_path / "items.parquet").bank()


def test_parquet_rows_become_items_and_a_broken_file_is_the_callers_mistake(tmp_path, monkeypatch):
    """Against a stand-in for the library; `test_parquet_itself` reads a real file where it is installed."""

    def read_table(path):
        if path.name == "broken.parquet":
            raise ValueError("magic bytes not found")
        return types.SimpleNamespace(to_pylist=lambda: [dict(row) for row in ROWS])

    library = types.ModuleType("pyarrow")
    library.parquet = types.ModuleType("pyarrow.parquet")
    library.parquet.read_table = read_table
    monkeypatch.setitem(sys.modules, "pyarrow", library)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", library.parquet)
    assert File("items.parquet", **COLUMNS).bank().spec() == File(written(tmp_path, ".jsonl"), **COLUMNS).bank().spec()
    with pytest.raises(ConfigError, match="not Parquet: magic bytes"):
        File("broken.parquet").bank()


def test_parquet_itself(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "items.parquet")
    found = File(tmp_path / "items.parquet", **COLUMNS).bank()
    assert found.spec() == File(written(tmp_path, ".jsonl"), **COLUMNS).bank().spec()
    (tmp_path / "items.parquet").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="not Parquet"):
        File(tmp_path / "items.parquet").bank()
