"""Sealed values: opened with the deployment's own secrets, and with no other."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.sealing import Sealer, sealer
from store.settings import Settings, Unusable


def test_what_was_sealed_is_not_read_but_opened() -> None:
    ours = Sealer("one")
    sealed = ours.seal("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert ours.open(sealed) == "JBSWY3DPEHPK3PXP"


def test_a_new_secret_in_front_still_opens_what_the_old_one_sealed() -> None:
    sealed = Sealer("old").seal("token")
    assert Sealer("new", "old").open(sealed) == "token"
    with pytest.raises(Unusable, match="CAMPUS_RISK_SECRET"):
        Sealer("new").open(sealed)


def test_a_changed_value_does_not_open() -> None:
    sealed = Sealer("one").seal("token")
    with pytest.raises(Unusable):
        Sealer("one").open(sealed[:-4] + "AAAA")


def test_without_a_setting_one_secret_is_made_in_the_local_folder_and_kept(tmp_path: Path) -> None:
    settings = Settings(local=tmp_path / "new", secret=None)
    sealed = sealer(settings).seal("token")
    assert sealer(settings).open(sealed) == "token"
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600


def test_two_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    settings = Settings(local=tmp_path / "new", secret=None)
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda n: sealer(settings).seal(str(n)), range(8)))
    assert [sealer(settings).open(one) for one in sealed] == [str(n) for n in range(8)]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret"]
