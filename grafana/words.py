"""Names and Chinese labels. The labels are those of ``models``, which is not imported here; a test holds them together."""

from collections.abc import Mapping

TAG = "campus-risk"
# All that is ours in a Grafana begins like this: by it, what others made there is left alone.
PREFIX = "campus-risk-"
DATASOURCE = "campus-risk"
DATASOURCE_TYPE = "grafana-postgresql-datasource"
TIME_ZONE = "Asia/Shanghai"

DUTY, BUREAU, OPERATORS = f"{PREFIX}duty", f"{PREFIX}bureau", f"{PREFIX}operators"

LEVELS: Mapping[str, str] = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}
COLOURS: Mapping[str, str] = {"红": "#D0021B", "橙": "#F5821F", "黄": "#F2C500", "蓝": "#2F7ED8"}
STATES: Mapping[str, str] = {
    "reported": "待研判",
    "assessed": "已研判",
    "dispatched": "已派单",
    "handling": "处置中",
    "submitted": "待复核",
    "closed": "已销号",
    "reviewing": "待复盘",
    "archived": "已归档",
    "rejected": "不属实",
    "merged": "已合并",
}
DEADLINES: Mapping[str, str] = {
    "assess": "研判",
    "report": "上报市级",
    "control": "初步管控",
    "rectify": "整改销号",
    "review": "复盘",
}
REASONS: Mapping[str, str] = {"level": "按等级", "deadline": "逾期", "instructed": "督办", "unmanned": "无人值守"}
CATEGORIES: Mapping[str, str] = {
    "01": "消防安全",
    "02": "实验室与危化品",
    "03": "校舍建筑与施工",
    "04": "特种设备与水电气",
    "05": "食品与饮用水",
    "06": "公共卫生与医疗急救",
    "07": "交通与校车",
    "08": "治安与安防设施",
    "09": "心理健康与生命安全",
    "10": "学生欺凌与侵害",
    "11": "网络与数据安全",
    "12": "诈骗与涉财",
    "13": "自然灾害与溺水",
    "14": "大型活动与考试",
    "99": "其他",
}
OUTCOMES: Mapping[str, str] = {"opened": "立案", "attached": "并入已有", "quiet": "无需处置"}
CHANNELS: Mapping[str, str] = {"dingtalk": "钉钉", "wecom": "企业微信", "email": "邮件", "webhook": "Webhook"}


def label(column: str, words: Mapping[str, str]) -> str:
    """SQL that shows a key's label; a key without one shows itself."""
    return (
        f"CASE {column} "
        + " ".join(f"WHEN '{key}' THEN '{word}'" for key, word in words.items())
        + f" ELSE {column} END"
    )


def order(column: str, words: Mapping[str, str]) -> str:
    """SQL that sorts keys as they are listed here."""
    return f"array_position(ARRAY[{', '.join(repr(key) for key in words)}]::text[], {column})"
