"""``[[sign_in]]`` in a city's folder: read, kept without any secret, and refused with line and cure."""

import shutil
from pathlib import Path

import pytest

import deploy.cities
from deploy.cities import CityError, load_city
from models.identity import providers

NINGBO = Path(deploy.cities.__file__).parent / "ningbo"
GOOD = (
    'id = "u01"\nlabel = "统一身份认证"\nunit = "U01"\nissuer = "https://sso.example.edu.cn"\n'
    'client_id = "campus-risk"\nsecond_factor_amr = ["mfa"]\n'
)


def written(tmp_path: Path, *entries: str) -> tuple[Path, int]:
    """The demo city with these providers, and the line of the first."""
    folder = tmp_path / "city"
    shutil.copytree(NINGBO, folder)
    path = folder / "city.toml"
    content = path.read_text("utf-8")
    path.write_text(content + "".join(f"\n[[sign_in]]\n{entry}" for entry in entries), "utf-8")
    return folder, content.count("\n") + 2


def test_a_provider_is_kept_in_the_profile(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, GOOD)
    found = providers(load_city(folder).profile())
    assert (found["u01"].unit, found["u01"].amr) == ("U01", frozenset({"mfa"}))
    assert providers(load_city(NINGBO).profile()) == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("https://sso", "http://sso", 4, "issuer 不是安全地址"),
        ('"U01"', '"U99"', 3, "单位 U99 不存在"),
        ('id = "u01"', 'id = "U 01"', 1, "id 'U 01' 无法使用"),
        ('client_id = "campus-risk"', 'client_id = ""', 5, "缺少 client_id"),
        ("second_factor_amr = ", "second_factor = ", 6, "second_factor 无法识别"),
        ('["mfa"]', '"mfa"', 6, "second_factor_amr 不是文字列表"),
    ],
)
def test_a_wrong_one_names_line_and_cure(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    folder, first = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(CityError) as caught:
        load_city(folder)
    assert f"city.toml 第 {first + line} 行" in str(caught.value)
    assert said in str(caught.value)


def test_two_of_one_issuer_would_be_one_identity_with_two_subtrees(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, GOOD, GOOD.replace("u01", "u02").replace("U01", "U02"))
    with pytest.raises(CityError, match="issuer 与第 1 个重复"):
        load_city(folder)
