"""What people write above a column, and the field it stands for."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

# unit and unit_name, reporter and mobile, lon and lat are columns of a table; the record joins or nests them.
_ALIASES = {
    "unit": "unit 单位编码 单位代码 学校编码 学校代码 机构编码 机构代码 unitcode schoolcode",
    "unit_name": "单位 单位名称 学校 学校名称 所属单位 所属学校 上报单位 填报单位 学院 unitname school schoolname",
    "text": "text 隐患描述 隐患内容 内容 描述 问题描述 隐患 隐患情况 情况描述 情况说明 事件描述 问题 description content",
    "place": "place 地点 位置 具体位置 具体地点 隐患地点 隐患位置 发生地点 部位 隐患部位 site where",
    "occurred_at": "occurredat 发现时间 发生时间 时间 日期 发现日期 发生日期 排查时间 检查时间 检查日期 time date",
    "reported_at": "reportedat 上报时间 填报时间 报告时间 上报日期 填报日期 提交时间",
    "category": "category 类别 隐患类别 分类 隐患分类 隐患类型 类型 类别代码 类别编码 type",
    "level": "level 等级 级别 隐患等级 隐患级别 风险等级 风险级别",
    "people_affected": "peopleaffected 涉及人数 影响人数 受影响人数 人数",
    "minors_involved": "minorsinvolved 涉及未成年人 是否涉及未成年人 涉未成年人",
    "drill": "drill 演练 是否演练",
    "reporter": "reporter 上报人 报告人 填报人 信息员 发现人 检查人 排查人 姓名 联系人 reportername",
    "mobile": "mobile 手机 手机号 手机号码 电话 联系电话 联系方式 上报人电话 phone tel",
    "lon": "lon lng longitude 经度",
    "lat": "lat latitude 纬度",
    "crs": "crs 坐标系 坐标系统",
    "attachments": "attachments attachment 附件 照片 图片 附件链接 照片链接",
    "source": "source 来源 数据来源",
    "source_id": "sourceid 编号 隐患编号 记录编号 流水号 单号 业务编号 原编号 externalid",
    "id": "id uuid",
    "schema": "schema",
    # Line numbers say nothing and differ between two exports of one table: known, and left out.
    "_number": "序号 行号 no #",
}
_MARKS = re.compile(r"[（(\[【][^）)\]】]*[）)\]】]|[\s_*＊:：\-]+")


@cache
def _fields() -> dict[str, str]:
    return {alias: field for field, aliases in _ALIASES.items() for alias in aliases.split()}


def field_of(header: object) -> str | None:
    """The field a column stands for, by its header; marks such as （必填）, * and spaces do not count. None if unknown."""
    if header is None:
        return None
    plain = unicodedata.normalize("NFKC", str(header)).strip().lower()
    return _fields().get(_MARKS.sub("", plain))


def columns_of(cells: Sequence[object]) -> dict[int, str]:
    """Field by column number of a header row; of two columns for one field the first counts."""
    found: dict[int, str] = {}
    for number, cell in enumerate(cells):
        field = field_of(cell)
        if field is not None and field not in found.values():
            found[number] = field
    return found


def is_header(cells: Sequence[object]) -> bool:
    """Whether a row names at least a unit and a text."""
    fields = set(columns_of(cells).values())
    return "text" in fields and bool(fields & {"unit", "unit_name"})
