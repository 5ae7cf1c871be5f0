"""All masks, in one place (domain §8): names 张*, mobiles 138****1234, identity numbers 3 + 11 stars + 4.

And what stands in the place of words about minors: 个人信息保护法 §28, §31 makes data of those under 14 sensitive, and
未成年人网络保护条例 §36 lets nobody see a minor's data without an approval and a log.
"""

import re

# A mobile or identity number inside a longer run of digits (a serial, a meter reading) is none.
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])(\d{3})\d{11}(\d{3}[\dXx])(?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?<!\d)((?:\+?86[- ]?)?[1１][3-9３-９]\d)[- ]?\d{4}[- ]?(\d{4})(?!\d)")


# What stands where words about minors were written; whoever needs them asks for an approval.
_CLOSED = "涉及未成年人，原文须经审批查看"


def closed_words(label: str = "") -> str:
    """The neutral sentence in the place of words about minors; ``label`` is the name of the subcategory.

    >>> closed_words("疏散通道与安全出口")
    '疏散通道与安全出口：涉及未成年人，原文须经审批查看'
    """
    return f"{label}：{_CLOSED}" if label else _CLOSED


def mask_name(name: str) -> str:
    """张三 → 张*; two-syllable family names are cut likewise, which says less, not more."""
    name = name.strip()
    return name[:1] + "*" if name else ""


def mask_mobile(mobile: str) -> str:
    """13800001234 → 138****1234; anything that is no mobile becomes stars altogether."""
    masked, count = _MOBILE.subn(r"\1****\2", mobile.strip())
    return masked if count else "*" * min(len(mobile.strip()), 11)


def mask_text(text: str) -> str:
    """Identity and mobile numbers inside free text. Names in text cannot be told from words and stay."""
    return _MOBILE.sub(r"\1****\2", _IDENTITY.sub(r"\1***********\2", text))


def excerpt(text: str, length: int = 40) -> str:
    """The first characters of a text on one line, masked, for lists and tickers."""
    # First on one line: a number that is broken over two is one number to a reader.
    flat = mask_text(" ".join(text.split()))
    return flat if len(flat) <= length else flat[: length - 1] + "…"
