"""``[levels]`` and ``[learning]`` in a city's folder: kept in the profile, and refused with a cure."""

import shutil
from pathlib import Path

import pytest

import deploy.cities
from deploy.cities import CityError, load_city
from models.learning import consenting
from models.scales import LevelBands

NINGBO = Path(deploy.cities.__file__).parent / "ningbo"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """The demo city with one line changed."""
    folder = tmp_path / "city"
    shutil.copytree(NINGBO, folder)
    path = folder / "city.toml"
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new), "utf-8")
    return folder


def test_bands_and_consent_are_kept_in_the_profile(tmp_path: Path) -> None:
    profile = load_city(changed(tmp_path, "units = []", 'units = ["U01"]')).profile()
    assert consenting(profile) == ("U01",)
    assert LevelBands.of(profile) == LevelBands()
    strict = load_city(changed(tmp_path / "two", "ls = [17, 11, 5]", "ls = [15, 9, 4]")).profile()
    assert LevelBands.of(strict).ls[0][0] == 15


def test_nobody_is_learned_from_by_default() -> None:
    assert consenting(load_city(NINGBO).profile()) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ls = [17, 11, 5]", "ls = [5, 11, 17]", "依次递减"),
        ("ls = [17, 11, 5]", "ls = [17, 11]", "三个下限"),
        ("lec = [320, 160, 70]", 'lec = "320"', "[levels]"),
        ("units = []", 'units = ["U99"]', "单位 U99 不存在"),
        ("units = []", 'units = "U01"', "列表"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CityError) as caught:
        load_city(changed(tmp_path, old, new))
    assert said in str(caught.value)
    assert "city.toml" in str(caught.value)
