"""deploy/kustomize: by the schemas of Kubernetes, and by what must agree between the files.

The overlay is put together by our own reading of it, which knows what these files use: resources, one merge patch of a ConfigMap,
images, a namespace. Where kustomize or kubectl is installed, theirs must come to the same.
"""

import copy
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from api import health
from streams import topics
from tests.deploy.test_compose import known

PROJECT = Path(__file__).parents[2]
BASE = PROJECT / "deploy" / "kustomize" / "base"
EXAMPLE = PROJECT / "deploy" / "kustomize" / "overlays" / "example"
# The oldest release that is still cared for, and the newest whose schemas the validator has.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
# Of the cluster, not of a namespace; and kinds whose definition is no part of Kubernetes.
UNSCOPED, FOREIGN = {"Namespace"}, {"ScaledObject"}

Resource = dict[str, Any]


def _loaded(folder: Path) -> list[Resource]:
    plan = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    used = {"apiVersion", "kind", "resources", "namespace", "images", "patches"}
    assert set(plan) <= used, "this reading of kustomizations does not know it: teach it"
    found: list[Resource] = []
    for entry in plan["resources"]:
        path = (folder / entry).resolve()
        found += _loaded(path) if path.is_dir() else [r for r in yaml.safe_load_all(path.read_text("utf-8")) if r]
    for patch in plan.get("patches", []):
        change = yaml.safe_load((folder / patch["path"]).read_text("utf-8"))
        (target,) = [r for r in found if _id(r) == _id(change)]
        assert change["kind"] == "ConfigMap"
        target["data"] |= change["data"]
    for resource in found:
        if "namespace" in plan and resource["kind"] not in UNSCOPED:
            resource["metadata"]["namespace"] = plan["namespace"]
        for container in _containers(resource):
            for image in plan.get("images", []):
                if container["image"].split(":")[0] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    return found


def _id(resource: Resource) -> tuple[str, str]:
    return resource["kind"], resource["metadata"]["name"]


def _pod(resource: Resource) -> Resource | None:
    spec: Resource | None = resource.get("spec", {}).get("template", {}).get("spec")
    return spec


def _containers(resource: Resource) -> list[Resource]:
    pod = _pod(resource) or {}
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


@pytest.fixture(scope="module")
def resources() -> list[Resource]:
    return _loaded(EXAMPLE)


@pytest.fixture(scope="module")
def pods(resources: list[Resource]) -> dict[str, Resource]:
    """What runs, by its component."""
    return {r["metadata"]["labels"]["app.kubernetes.io/component"]: r for r in resources if _pod(r)}


def of(resources: list[Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources if resource["kind"] == kind]


def one(resources: list[Resource], kind: str, name: str) -> Resource:
    (found,) = [resource for resource in resources if _id(resource) == (kind, name)]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_hold(resources: list[Resource], version: str) -> None:
    for resource in resources:
        if resource["kind"] in FOREIGN:
            with pytest.raises(kubernetes_validate.utils.SchemaNotFoundError):
                kubernetes_validate.validate(resource, version, strict=True)
        else:
            kubernetes_validate.validate(resource, version, strict=True)
    wrong = copy.deepcopy(one(resources, "Deployment", "campus-risk-api"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_every_file_is_listed_and_every_name_is_there_once(resources: list[Resource]) -> None:
    for folder in (BASE, EXAMPLE):
        plan = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
        listed = {*plan["resources"], *(patch["path"] for patch in plan.get("patches", [])), "kustomization.yaml"}
        assert {path.name for path in folder.iterdir()} == {entry for entry in listed if not entry.startswith("..")}
    assert len({_id(resource) for resource in resources}) == len(resources)


def _builder() -> list[str] | None:
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


@pytest.mark.skipif(_builder() is None, reason="neither kustomize nor kubectl is installed")
def test_kustomize_comes_to_the_same(resources: list[Resource]) -> None:
    built = subprocess.run([*(_builder() or []), str(EXAMPLE)], capture_output=True, text=True, check=True).stdout
    theirs = {_id(resource): resource for resource in yaml.safe_load_all(built)}
    assert theirs == {_id(resource): resource for resource in resources}


def test_what_is_asked_for_is_there(resources: list[Resource], pods: dict[str, Resource]) -> None:
    assert {name: pod["kind"] for name, pod in pods.items()} == {
        "api": "Deployment", "worker": "Deployment", "keeper": "Deployment", "migrate": "Job",
    }  # fmt: skip
    assert pods["api"]["spec"]["replicas"] == 3
    assert pods["keeper"]["spec"]["replicas"] == 2
    assert "replicas" not in pods["worker"]["spec"], "an apply would set back what the scaling has chosen"
    assert [c["args"] for c in _containers(pods["migrate"])] == [["migrate"], ["topics"]]
    for part in ("api", "worker", "keeper"):
        assert [container["args"] for container in _containers(pods[part])] == [[part]]


def test_every_pod_is_restricted(pods: dict[str, Resource]) -> None:
    for name, resource in pods.items():
        pod = _pod(resource) or {}
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 10001, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, f"{name}: CAMPUS_RISK_API_PORT would be an address"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert all("emptyDir" in volume or "secret" in volume for volume in pod["volumes"]), name
        for container in _containers(resource):
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True, name
            assert rights["allowPrivilegeEscalation"] is False, name
            assert rights["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["requests"]["cpu"], name
            assert container["resources"]["requests"]["memory"], name
            assert container["resources"]["limits"]["memory"], name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}, name


def test_the_namespace_refuses_what_is_not_restricted(resources: list[Resource]) -> None:
    (namespace,) = of(resources, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    inside = {r["metadata"]["namespace"] for r in resources if r["kind"] not in UNSCOPED}
    assert inside == {namespace["metadata"]["name"]}


def test_images_are_pinned_to_this_release(pods: dict[str, Resource]) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    images = {container["image"] for resource in pods.values() for container in _containers(resource)}
    assert images == {f"registry.example.edu.cn/campus-risk:{version}"}


def test_probes_ask_what_exists(pods: dict[str, Resource]) -> None:
    routes = {getattr(route, "path", "") for route in health.router.routes}
    (api,) = _containers(pods["api"])
    asked = {kind: api[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe["path"] for probe in asked.values()} <= routes
    assert asked["readinessProbe"]["path"] == "/health/ready"
    assert asked["livenessProbe"]["path"] == "/health/live", "a database that is away must not kill the api"
    assert {probe["port"] for probe in asked.values()} == {port["name"] for port in api["ports"]}
    for part in ("worker", "keeper"):
        (container,) = _containers(pods[part])
        for kind in ("startupProbe", "livenessProbe"):
            assert container[kind]["exec"]["command"] == ["python", "-m", "deploy.beat", part]


def test_selectors_find_their_pods_and_no_others(resources: list[Resource], pods: dict[str, Resource]) -> None:
    def found(selector: dict[str, str]) -> set[str]:
        labels = {name: r["spec"]["template"]["metadata"]["labels"] for name, r in pods.items()}
        return {name for name, given in labels.items() if selector.items() <= given.items()}

    for name, resource in pods.items():
        if resource["kind"] == "Deployment":
            assert found(resource["spec"]["selector"]["matchLabels"]) == {name}
            for spread in (_pod(resource) or {})["topologySpreadConstraints"]:
                assert found(spread["labelSelector"]["matchLabels"]) == {name}
    (service,) = of(resources, "Service")
    assert found(service["spec"]["selector"]) == {"api"}
    assert service["metadata"]["name"] != "campus-risk", "its variable CAMPUS_RISK_PORT would be taken for a setting"
    ports = {port["name"] for port in _containers(pods["api"])[0]["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    (ingress,) = of(resources, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    budgets = {frozenset(found(b["spec"]["selector"]["matchLabels"])): b for b in of(resources, "PodDisruptionBudget")}
    assert set(budgets) == {frozenset({part}) for part in ("api", "worker", "keeper")}
    for parts, budget in budgets.items():
        replicas = pods[next(iter(parts))]["spec"].get("replicas", 2)
        assert budget["spec"].get("minAvailable", 0) < replicas, "a node could never be emptied"


def test_references_lead_somewhere(resources: list[Resource], pods: dict[str, Resource]) -> None:
    accounts = {r["metadata"]["name"] for r in of(resources, "ServiceAccount")}
    configs = {r["metadata"]["name"] for r in of(resources, "ConfigMap")}
    for resource in pods.values():
        pod = _pod(resource) or {}
        assert pod["serviceAccountName"] in accounts
        secrets = [v["secret"] for v in pod["volumes"] if "secret" in v]
        assert secrets == [{"secretName": "campus-risk", "defaultMode": 0o440}], "the docs say how to make this one"
        for container in _containers(resource):
            assert {source["configMapRef"]["name"] for source in container["envFrom"]} <= configs
            assert "env" not in container
    assert of(resources, "Secret") == [], "no secret is kept with the code"


def test_every_variable_is_a_setting_and_none_is_secret(resources: list[Resource]) -> None:
    data = one(resources, "ConfigMap", "campus-risk")["data"]
    assert [name for name in data if not known(name)] == []
    assert all(isinstance(value, str) for value in data.values())
    for name, value in data.items():
        if re.search(r"PASSWORD|SECRET|MAIL", name):
            assert re.fullmatch(r"/run/secrets/\w+", value)
    assert re.match(r"postgresql://\w+@", data["CAMPUS_RISK_DATABASE"]), "no password in the address"
    assert "sslmode=require" in data["CAMPUS_RISK_DATABASE"]


def test_workers_scale_on_what_they_read(resources: list[Resource]) -> None:
    scaling = one(resources, "ScaledObject", "campus-risk-worker")
    data = one(resources, "ConfigMap", "campus-risk")["data"]
    spec = scaling["spec"]
    target = spec["scaleTargetRef"]
    assert one(resources, target["kind"], target["name"])["apiVersion"] == target["apiVersion"]
    told = [trigger["metadata"] for trigger in spec["triggers"]]
    prefix = data.get("CAMPUS_RISK_TOPIC_PREFIX", "")
    assert [one["topic"] for one in told] == [f"{prefix}risk.{aggregate}" for aggregate in topics.READ]
    for metadata in told:
        assert metadata["consumerGroup"] == data["CAMPUS_RISK_GROUP"]
        assert metadata["bootstrapServers"] == data["CAMPUS_RISK_KAFKA"]
        assert metadata["offsetResetPolicy"] == "earliest"
        assert all(isinstance(value, str) for value in metadata.values()), "KEDA takes text only"
    assert spec["maxReplicaCount"] == int(data["CAMPUS_RISK_PARTITIONS"]), "a worker more would find no partition"
    assert spec["minReplicaCount"] >= 2


def test_nothing_speaks_to_anything_unless_it_is_named(resources: list[Resource], pods: dict[str, Resource]) -> None:
    policies = {policy["metadata"]["name"].removeprefix("campus-risk-"): policy["spec"] for policy in of(resources, "NetworkPolicy")}  # fmt: skip
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(policies) == {"default-deny", "names", *pods}

    def reached(part: str) -> set[tuple[str, int]]:
        found = set()
        for rule in policies[part]["egress"]:
            assert rule["ports"], part
            for to in rule["to"]:
                where = to.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
                found |= {(where or to["ipBlock"]["cidr"], port["port"]) for port in rule["ports"]}
        return found

    database, kafka, outside = ("database", 5432), ("kafka", 9092), "0.0.0.0/0"
    assert reached("api") == {database, (outside, 443)}
    assert reached("worker") == {database, kafka}
    assert reached("migrate") == {database, kafka}
    assert reached("keeper") == {database, kafka, (outside, 443), (outside, 465), (outside, 587)}
    assert [part for part in pods if "ingress" in policies[part]] == ["api"]
    for part in pods:
        assert policies[part]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == part
    blocks = [to["ipBlock"] for spec in policies.values() for rule in spec.get("egress", []) for to in rule["to"] if "ipBlock" in to]  # fmt: skip
    assert all({"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(b["except"]) for b in blocks)
