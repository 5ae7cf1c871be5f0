"""Files as schools send them: encodings, delimiters, headers, broken rows, and ids that stay the same."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.readers import CannotRead, Row, read
from models.reports import Door, check
from models.units import Unit, UnitTree

HEADER = "学校编码,隐患描述（必填）,具体位置,发现时间,类别,等级,上报人,联系电话"
LINE = "330203-001,灭火器压力不足,3号楼二层,2026-05-01 08:00,0102,黄,陈某,13800001234"


def written(folder: Path, content: str, encoding: str = "utf-8", name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def good(rows: list[Row]) -> list[dict[str, object]]:
    assert [row.error for row in rows if row.error] == []
    return [row.record for row in rows if row.record is not None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_give_the_same_record(tmp_path: Path, encoding: str, delimiter: str) -> None:
    content = f"{HEADER}\n{LINE}\n".replace(",", delimiter)
    (record,) = good(list(read(written(tmp_path, content, encoding))))
    source_id = record.pop("source_id")
    assert isinstance(source_id, str)
    assert len(source_id) == 64
    assert record == {
        "schema": 1,
        "source": "file",
        "unit": "330203-001",
        "text": "灭火器压力不足",
        "place": "3号楼二层",
        "occurred_at": "2026-05-01T08:00:00+08:00",
        "category": "0102",
        "level": "yellow",
        "reporter": {"name": "陈某", "mobile": "13800001234"},
    }


def test_a_record_passes_the_door(tmp_path: Path) -> None:
    tree = UnitTree([Unit("330203-001", "甲小学", "school", "school")])
    (record,) = good(list(read(written(tmp_path, f"{HEADER}\n{LINE}\n"))))
    assert check(record, Door(tree, datetime(2026, 6, 1, tzinfo=UTC))).text == "灭火器压力不足"


def test_excel_dates_numbers_and_a_title_above_the_header(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["某区校园隐患排查表"])
    book.worksheets[0].append([])
    book.worksheets[0].append(
        ["序号", "学校编码", "问题描述", "发现时间", "类别", "影响人数", "经度", "纬度", "坐标系"]
    )
    book.worksheets[0].append([1, 330203, "灯坏了", datetime(2026, 5, 1, 8, 5), 101, 3.0, 121.55, 29.87, "GCJ-02"])  # noqa: DTZ001
    book.worksheets[0].append([2, 330203, "门坏了", 46143.5, None, "12人", None, None, None])
    book.save(tmp_path / "book.xlsx")
    rows = list(read(tmp_path / "book.xlsx"))
    first, second = good(rows)
    assert [row.number for row in rows] == [4, 5]
    assert first["unit"] == "330203"
    assert first["occurred_at"] == "2026-05-01T08:05:00+08:00"
    assert first["category"] == "0101"
    assert first["people_affected"] == 3
    assert first["location"] == {"lon": 121.55, "lat": 29.87, "crs": "GCJ-02"}
    assert second["occurred_at"] == "2026-05-01T12:00:00+08:00"
    assert second["people_affected"] == 12


def test_the_sheet_with_a_header_is_read_and_others_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["填报说明"])
    for title in ("五月", "六月"):
        sheet = book.create_sheet(title)
        sheet.append(["unit", "text"])
        sheet.append(["A", f"{title}的门坏了"])
    book.save(tmp_path / "book.xlsx")
    notes: list[str] = []
    assert [record["text"] for record in good(list(read(tmp_path / "book.xlsx", note=notes.append)))] == [
        "五月的门坏了"
    ]
    assert "六月" in notes[0]


def test_json_lines_nested_flat_and_broken(tmp_path: Path) -> None:
    lines = [
        '{"unit": "A", "text": "门坏了", "location": {"lon": 121.5, "lat": 29.8, "crs": "WGS-84"}, "drill": true}',
        '{"学校编码": "A", "内容": "灯坏了", "reporter": {"name": "陈*", "mobile": "138****0000"}}',
        '{"unit": "A", "text": ',
        "[1, 2]",
        '{"unit": {"a": 1}, "text": "x"}',
    ]
    rows = list(read(written(tmp_path, "\n".join(lines), name="file.jsonl")))
    assert rows[0].record is not None
    assert rows[0].record["location"] == {"lon": 121.5, "lat": 29.8, "crs": "WGS-84"}
    assert rows[0].record["drill"] is True
    assert rows[1].record is not None
    assert rows[1].record["reporter"] == {"name": "陈*", "mobile": "138****0000"}
    assert [row.number for row in rows if row.error] == [3, 4, 5]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",门坏了,,,,,,", "“学校编码”列：没有单位"),
        ("A,,,,,,,", "“隐患描述（必填）”列：没有内容"),
        ("A,门坏了,,昨天,,,,", "“发现时间”列：“昨天”不是可识别的时间；写成"),
        ("A,门坏了,,2026-02-30,,,,", "“发现时间”列"),
        ("A,门坏了,,,不存在的,,,", "“类别”列"),
        ("A,门坏了,,,,很重,,", "“等级”列：“很重”不是等级；填"),
    ],
)
def test_a_broken_row_names_row_column_and_cure_and_reading_goes_on(tmp_path: Path, line: str, said: str) -> None:
    rows = list(read(written(tmp_path, f"{HEADER}\n{LINE}\n{line}\n{LINE}\n")))
    assert [row.record is not None for row in rows] == [True, False, True]
    assert rows[1].error is not None
    assert rows[1].error.startswith("第 3 行：")
    assert said in rows[1].error
    assert rows[1].raw["学校编码"] == line.split(",")[0]


def test_a_quote_that_was_never_closed_costs_one_row_not_the_file(tmp_path: Path) -> None:
    lines = ["unit,text", 'A,"门坏了', *(f"A,灯坏了{number}" for number in range(500))]
    rows = list(read(written(tmp_path, "\n".join(lines))))
    assert [row.number for row in rows if row.error] == [2]
    assert sum(row.record is not None for row in rows) == 500
    assert rows[-1].number == 502


def test_line_breaks_inside_quotes_belong_to_the_cell(tmp_path: Path) -> None:
    rows = list(read(written(tmp_path, 'unit,text\nA,"第一行\n第""二""行"\nA,门坏了\n')))
    assert [record["text"] for record in good(rows)] == ['第一行\n第"二"行', "门坏了"]
    assert [row.number for row in rows] == [2, 3]


def test_one_broken_byte_costs_one_row_and_not_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    good_lines = "\n".join(f"A,走廊的灯坏了{number}" for number in range(50))
    path.write_bytes(b"unit,text\n" + b"A,\xe9\x97\n" + good_lines.encode())
    rows = list(read(path))
    assert [row.number for row in rows if row.error] == [2]
    assert rows[1].record is not None
    assert rows[1].record["text"] == "走廊的灯坏了0"


def test_unknown_columns_are_reported_once_and_kept_in_raw(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = list(read(written(tmp_path, "unit,text,天气\nA,门坏了,晴\nA,灯坏了,雨\n"), note=notes.append))
    assert notes == ["没有用到的列：天气；如需导入，请改成模板里的列名。"]
    assert rows[1].raw["天气"] == "雨"


def test_unit_names_become_codes_and_unknown_units_are_errors(tmp_path: Path) -> None:
    path = written(tmp_path, "学校名称,隐患描述\n甲小学,门坏了\n乙小学,灯坏了\n")
    first, second = read(path, units={"甲小学": "330203-001", "330203-001": "330203-001"})
    assert first.record is not None
    assert first.record["unit"] == "330203-001"
    assert second.error is not None
    assert "本市没有单位“乙小学”" in second.error


def test_reading_again_gives_the_same_ids_and_equal_rows_differ(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\n{LINE}\n{LINE}\n")
    once, again = ([record["source_id"] for record in good(list(read(path)))] for _ in range(2))
    assert once == again
    assert len(set(once)) == 2


def test_an_id_does_not_depend_on_format_or_width(tmp_path: Path) -> None:
    csv = written(tmp_path, "unit,text,time\nA,３号楼  灯坏了,2026年5月1日 8时\n")
    lines = written(
        tmp_path, '{"unit": "A", "text": "3号楼 灯坏了", "occurred_at": "2026-05-01T08:00:00+08:00"}', name="a.jsonl"
    )
    assert good(list(read(csv)))[0]["source_id"] == good(list(read(lines)))[0]["source_id"]


def test_serial_numbers_are_no_ids_but_issued_ones_are(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = list(read(written(tmp_path, "编号,unit,text\n1,A,门坏了\nYH-2026-0007,A,灯坏了\n"), note=notes.append))
    first, second = good(rows)
    assert first["source_id"] != "1"
    assert second["source_id"] == "YH-2026-0007"
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "空文件"),
        ("blank.csv", b"\xef\xbb\xbf \r\n", "空文件"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "另存为 .xlsx"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "不是表格"),
        ("broken.xlsx", b"PK\x03\x04" + b"x" * 100, "不是可读的 Excel"),
        ("array.json", b'[{"unit": "A"}]', "每行一个 JSON 对象"),
        ("noheader.csv", "学校,备注\n甲,乙\n".encode(), "找不到表头"),
        ("onlyheader.csv", b"unit,text\n", "只有表头"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRead, match=said) as caught:
        list(read(tmp_path / name))
    assert str(caught.value).endswith("。")
    assert name in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="找不到文件"):
        list(read(tmp_path / "none.csv"))
    with pytest.raises(CannotRead, match="是文件夹"):
        list(read(tmp_path))


def test_memory_stays_flat_over_many_rows(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("w", encoding="utf-8") as file:
        file.write("unit,text\n")
        file.writelines(
            f"A,第{number}盏灯坏了，走廊很黑，晚自习后学生看不清台阶{'很暗' * 40}\n" for number in range(20_000)
        )
    assert (tmp_path / "large.csv").stat().st_size > 5_000_000
    tracemalloc.start()
    try:
        count = sum(1 for row in read(tmp_path / "large.csv") if row.record)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 5_000_000


cells = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=12))
def test_whatever_the_cells_hold_each_row_is_a_record_or_an_error(
    tmp_path: Path, table: list[tuple[str, str, str, str]]
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["unit", "text", "时间", "等级"])
    for cells_of_row in table:
        book.worksheets[0].append([f"'{cell}" if cell.startswith("=") else cell for cell in cells_of_row])
    book.save(tmp_path / "any.xlsx")
    if not any(cell.strip() for row in table for cell in row):
        with pytest.raises(CannotRead, match="没有数据"):
            list(read(tmp_path / "any.xlsx"))
        return
    rows = list(read(tmp_path / "any.xlsx"))
    for row in rows:
        assert (row.record is None) != (row.error is None)
        assert row.number >= 2


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_below_a_header_end_in_rows_or_in_cannot_read(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "noise.csv"
    path.write_bytes(b"unit,text\n" + noise)
    try:
        rows = list(read(path))
    except CannotRead:
        return
    assert all((row.record is None) != (row.error is None) for row in rows)
