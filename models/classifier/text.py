"""Text before anybody judges it: one spelling, bounded length, nothing personal among the features."""

import re
import unicodedata
from dataclasses import dataclass

# A report of an officer is 10–300 characters; the longest of a pasted complaint some 1,500. Beyond that nothing new is said, and
# without a bound one text of 100,000 characters would hold up a batch of 500 others.
MAX_LENGTH = 2000
CUT_REASON = f"原文过长，仅据前{MAX_LENGTH}字研判"

# Traditional characters that occur in reports of hazards, each followed by its simplified form; a full conversion table would
# be a dependency for rare gain.
_PAIRS = (
    "電电滅灭門门鎖锁樓楼氣气險险車车學学實实驗验線线燒烧煙烟鍋锅爐炉飯饭館馆壓压過过壞坏沒没開开關关牆墙圍围欄栏雞鸡魚鱼腸肠醫医藥药"
    "劑剂傷伤暈晕嘔呕體体貓猫蟲虫騙骗錢钱轉转帳账號号碼码網网絡络賭赌盜盗竊窃亂乱擠挤災灾塵尘風风滿满護护師师員员長长園园運运動动場场"
    "舊旧爛烂斷断鏽锈鬆松廚厨遺遗棄弃質质個个們们這这還还說说話话無无燈灯櫃柜廢废試试應应緊紧報报監监視视頭头獨独級级發发現现異异檢检"
)
_TABLE = {ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)}
# Pictures that officers use instead of a word; all others are dropped.
_PICTURES = {"🔥": "着火", "💨": "冒烟", "🤮": "呕吐", "🩸": "流血"}
_PICTURE = re.compile("|".join(_PICTURES))
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufe0f\ufeff\x00-\x08\x0b-\x1f\x7f]")
_SPACES = re.compile(r"\s+")
_REPEATED = re.compile(r"([^\w\s])\1+|(\D)\2{3,}")
_CJK_SPACE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")

# No evidence: who, when and where. Order matters: long before short.
_MASKS = (
    (re.compile(r"https?://[!-~]{1,300}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.]{1,64}", re.ASCII), " "),
    (re.compile(r"\d{15,18}x?|1[3-9]\d{9}|\d{5,}"), " "),
    (re.compile(r"\d{1,4}年|\d{1,2}月\d{1,2}[日号]|\d{1,2}[:：时点]\d{0,2}分?"), " "),
    (re.compile(r"[a-z东南西北]?\d{0,4}[a-z]?(?:号楼|栋|幢|号线|教室?楼?(?=\d))"), "楼"),
    (re.compile(r"\d+(?:\.\d+)?"), "0"),
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``text``: normalised, at most ``MAX_LENGTH`` characters; ``cut``: the original was longer."""

    text: str
    cut: bool


def clean(text: str) -> Cleaned:
    """One spelling: NFKC, lower case, simplified, no invisible characters, no runs of punctuation. Time is bounded by MAX_LENGTH."""
    head = text[:MAX_LENGTH]
    head = _PICTURE.sub(lambda found: _PICTURES[found[0]], head)
    head = unicodedata.normalize("NFKC", head).lower().translate(_TABLE)
    head = _INVISIBLE.sub("", head)
    head = "".join(char for char in head if unicodedata.category(char) not in ("So", "Sk", "Cs", "Cn", "Co"))
    head = _SPACES.sub(" ", head)
    head = _REPEATED.sub(lambda found: found[1] or found[2] * 2, head)
    return Cleaned(_CJK_SPACE.sub("，", head).strip()[:MAX_LENGTH], len(text) > MAX_LENGTH)


def masked(cleaned: str) -> str:
    """What the model may see: phones, identity and long numbers, dates, addresses and names of buildings are no evidence."""
    for pattern, substitute in _MASKS:
        cleaned = pattern.sub(substitute, cleaned)
    return cleaned.strip()
