"""What each component registers, and what it refuses, on Pulumi's mocks."""

import sys

import pulumi
import pytest

from mg_provider import CustomWeightsModel, DedicatedEndpoint, PscForwardingRule
from mg_provider.api.http.settings import KEYS
from mg_provider.components import (
    PrivateEndpoint,
    PrivateModelEndpoint,
    PscAutomationPolicy,
    PscNetwork,
    RegionalFleet,
    ServiceAgentAccess,
    VpcScAllowlist,
    WeightsBucketAccess,
)
from tests.support.samples.mocks import PERIMETER, run

RANGES = {"us-central1": "10.20.0.0/24", "europe-west4": "10.20.1.0/24"}
MODEL = {"gcs_uri": "gs://weights/llama"}


def refused(program, **options):
    with pytest.raises(pulumi.RunError) as error:
        run(program, **options)
    return str(error.value)


def test_a_network_has_a_subnetwork_in_each_region_and_a_private_zone():
    made, described = run(lambda: PscNetwork("models", ranges=RANGES, dns_name="models.internal").description)
    assert made.names() == [
        "ManagedZone models",
        "Network models",
        "PscNetwork models",
        "Subnetwork models-europe-west4",
        "Subnetwork models-us-central1",
    ]
    assert made.of("Subnetwork")["models-us-central1"]["ipCidrRange"] == "10.20.0.0/24"
    assert made.of("ManagedZone")["models"]["visibility"] == "private"
    assert described["subnetworks"]["europe-west4"].endswith("/regions/europe-west4/subnetworks/models-europe-west4")
    assert described["dns_name"] == "models.internal."


def test_its_names_are_known_in_a_preview():
    _, network = run(lambda: PscNetwork("models", ranges=RANGES).network, preview=True)
    assert network == "projects/my-project/global/networks/models"


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ({"us-central1": "10.0.0.0/16", "us-east1": "10.0.3.0/24"}, "ranges of us-central1 and us-east1 overlap"),
        ({"us-central1": "10.0.0.0/24", "us-east1": "10.0.0.0/24"}, "ranges of us-central1 and us-east1 overlap"),
        ({"us-central1": "10.0.0.1/24"}, "us-central1: 10.0.0.1/24 is not a valid IPv4 range"),
        ({"us-central1": "10.0.0.0/30"}, "too small"),
        ({"uscentral1": "10.0.0.0/24"}, "uscentral1 is not a region"),
        ({}, "is empty"),
    ],
)
def test_ranges_that_cannot_be_used_are_refused(ranges, told):
    assert told in refused(lambda: PscNetwork("models", ranges=ranges) and None)


def test_an_existing_network_is_looked_up_unless_that_is_turned_off():
    existing = {"network": "shared", "project": "host-project", "subnetworks": {"us-central1": "psc"}}
    made, subnetwork = run(lambda: PscNetwork("models", existing=existing).subnetwork("us-central1"))
    assert subnetwork == "projects/host-project/regions/us-central1/subnetworks/psc"
    assert sorted(call.token.rsplit(":", 1)[-1] for call in made.calls) == ["getNetwork", "getSubnetwork"]
    made, _ = run(lambda: PscNetwork("models", existing={**existing, "look_up": False}).network)
    assert made.calls == []
    assert made.names() == ["PscNetwork models"]


def test_a_network_that_does_not_exist_is_told():
    existing = {"network": "missing", "subnetworks": {"us-central1": "psc"}}
    with pytest.raises(Exception, match="networks/missing not found"):
        run(lambda: PscNetwork("models", existing=existing).network)


def test_a_region_without_subnetwork_is_told():
    assert "no subnetwork in us-east1" in refused(lambda: PscNetwork("n", ranges=RANGES).subnetwork("us-east1"))


def test_a_network_comes_from_another_stack():
    stack = {"stack": "organization/net/prod"}
    _, found = run(lambda: PscNetwork("models", stack=stack).subnetwork("us-central1"))
    assert found == "projects/host-project/regions/us-central1/subnetworks/psc"
    told = refused(lambda: PscNetwork("models", stack={**stack, "output": "other"}).network)
    assert "has no output other that describes a network" in told


def test_exactly_one_kind_of_network_is_wanted():
    assert "exactly one" in refused(lambda: PscNetwork("models") and None)


def test_an_allowlist_becomes_bare_ids_once_each():
    def program():
        return VpcScAllowlist(
            "clients",
            projects=["projects/my-project", "client-project", "my-project"],
            perimeter_projects=["my-project", "client-project"],
        ).project_allowlist

    assert run(program)[1] == ["my-project", "client-project"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"projects": []}, "allowlist is empty"),
        ({"projects": ["123456"]}, "123456 is a project number\ndo: write the project id"),
        ({"projects": ["projects/123456"]}, "is a project number"),
        ({"projects": ["No Project"]}, "is not a valid project id"),
        ({"projects": ["my-project"], "perimeter_projects": ["client-project"]}, "my-project is outside of"),
        ({"projects": ["my-project"], "add_to_perimeter": ["my-project"]}, "needs perimeter"),
        ({"projects": ["my-project"], "perimeter": "prod"}, "is not a valid perimeter"),
        (
            {"projects": ["my-project"], "perimeter": PERIMETER, "add_to_perimeter": ["client-project"]},
            "is not one of projects",
        ),
        ({"projects": ["my-project", "stranger-project"], "perimeter": PERIMETER}, "stranger-project (number 333333)"),
    ],
)
def test_an_allowlist_that_cannot_work_is_refused(arguments, told):
    assert told in refused(lambda: VpcScAllowlist("clients", **arguments).project_allowlist)


def test_a_perimeter_is_asked_for_its_projects_and_gets_new_ones():
    def program():
        return VpcScAllowlist(
            "clients",
            projects=["my-project", "stranger-project"],
            perimeter=PERIMETER,
            add_to_perimeter=["stranger-project"],
        ).project_allowlist

    made, allowed = run(program)
    assert allowed == ["my-project", "stranger-project"]
    member = made.of("ServicePerimeterResource")["clients-stranger-project"]
    assert member == {"perimeterName": PERIMETER, "resource": "projects/333333"}


def test_a_private_model_has_a_rule_and_a_name():
    def program():
        network = PscNetwork("models", ranges=RANGES, dns_name="models.internal")
        private = PrivateModelEndpoint(
            "llama",
            region="us-central1",
            model=MODEL,
            network=network,
            address="10.20.0.9",
            allowlist=VpcScAllowlist("clients", projects=["my-project"]),
            dns_record="llama",
        )
        return pulumi.Output.all(private.dns_name, private.url, private.base_url, private.endpoint)

    made, (name, url, base_url, endpoint) = run(program)
    assert (name, url) == ("llama.models.internal", "http://llama.models.internal")
    assert base_url == f"http://llama.models.internal/v1beta1/{endpoint}"
    model, rule = made.of("CustomWeightsModel")["llama"], made.of("PscForwardingRule")["llama"]
    assert model["private_service_connect_config"]["project_allowlist"] == ["my-project"]
    assert rule["network"] == "projects/my-project/global/networks/models"
    assert rule["subnetwork"].endswith("/regions/us-central1/subnetworks/models-us-central1")
    assert rule["address"] == "10.20.0.9"
    record = made.of("RecordSet")["llama"]
    assert (record["name"], record["type"], record["managedZone"]) == ("llama.models.internal.", "A", "models")


@pytest.mark.parametrize(
    ("parked", "triggers"), [(None, None), (True, {"parked": "true"}), (False, {"parked": "false"})]
)
def test_the_rule_looks_again_when_its_model_is_parked_or_resumed(parked, triggers):
    model = MODEL if parked is None else {**MODEL, "parked": parked}
    place = {"network": "vpc", "subnetwork": "clients", "allowlist": ["my-project"]}
    made, _ = run(lambda: PrivateModelEndpoint("llama", region="us-central1", model=model, **place).url)
    assert made.of("PscForwardingRule")["llama"].get("triggers") == triggers


def test_a_private_model_takes_a_network_by_name_and_no_name_of_its_own():
    def program():
        return PrivateModelEndpoint(
            "llama", region="us-central1", model=MODEL, network="n", subnetwork="s", allowlist=["my-project"]
        ).dns_name

    made, name = run(program)
    assert name == ""
    assert made.names() == ["CustomWeightsModel llama", "PrivateModelEndpoint llama", "PscForwardingRule llama"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"model": {**MODEL, "regoin": "x"}}, "model.regoin is not an argument of CustomWeightsModel"),
        ({"model": {**MODEL, "region": "x"}}, "model.region is set by the component"),
        ({"dns_record": "llama"}, "needs a zone"),
        ({"dns_record": "Bad_Name"}, "is not a valid DNS name"),
        ({"allowlist": ["123456"]}, "is a project number"),
        ({"allowlist": ["client-project"]}, "allowlist lacks my-project, the project of the forwarding rule"),
        ({"project": "client-project"}, "allowlist lacks client-project"),
        ({"rule_project": "client-project"}, "allowlist lacks client-project"),
    ],
)
def test_a_private_model_that_cannot_work_is_refused(arguments, told):
    given = {"model": MODEL, "network": "n", "subnetwork": "s", "allowlist": ["my-project"], **arguments}
    assert told in refused(lambda: PrivateModelEndpoint("llama", region="us-central1", **given) and None)


SERVED = {"deployed_models": {"v1": {"model": "projects/my-project/locations/us-central1/models/llama"}}}


def test_a_private_endpoint_has_a_rule_and_a_name_for_itself_and_for_each_consumer():
    def program():
        private = PrivateEndpoint(
            "chat",
            region="us-central1",
            endpoint=SERVED,
            network=PscNetwork("models", ranges=RANGES, dns_name="models.internal"),
            allowlist=["my-project", "search-prod", "ads-prod"],
            dns_record="chat",
            rule={"labels": {"team": "models"}},
            consumers={
                "search": {"project": "search-prod", "dns_record": "search.chat"},
                "ads": {"project": "ads-prod", "network": "theirs", "subnetwork": "s", "rule": {"description": "ads"}},
            },
            enable_secure_private_service_connect=True,
        )
        return pulumi.Output.all(private.url, *(one.url for one in private.consumers.values()))

    made, urls = run(program)
    assert urls[:2] == ["http://chat.models.internal", "http://search.chat.models.internal"]
    connection = made.of("DedicatedEndpoint")["chat"]["private_service_connect_config"]
    assert connection["enable_secure_private_service_connect"] is True
    rules = made.of("PscForwardingRule")
    own, search, ads = (rules[name] for name in ("chat", "chat-search", "chat-ads"))
    assert "project" not in own
    assert own["labels"] == {"team": "models"}
    assert (search["project"], search["network"]) == ("search-prod", "projects/my-project/global/networks/models")
    assert (ads["project"], ads["network"], ads["description"]) == ("ads-prod", "theirs", "ads")
    assert sorted(made.of("RecordSet")) == ["chat", "chat-search"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"endpoint": {**SERVED, "trafic_split": {}}},
            "endpoint.trafic_split is not an argument of DedicatedEndpoint\ndo: did you mean traffic_split?",
        ),
        ({"endpoint": {**SERVED, "region": "x"}}, "endpoint.region is set by the component"),
        ({"rule": {"address": "10.0.0.5"}}, "rule.address is set by the component"),
        ({"rule": {"lables": {}}}, "rule.lables is not an argument of PscForwardingRule\ndo: did you mean labels?"),
        (
            {"consumers": {"ads": {"project": "ads-prod"}}},
            "allowlist lacks ads-prod, the project of the forwarding rule",
        ),
        ({"consumers": {"ads": {"dns_record": "ads"}}}, "dns_record needs a zone"),
    ],
)
def test_a_private_endpoint_that_cannot_work_is_refused(arguments, told):
    given = {"endpoint": SERVED, "network": "n", "subnetwork": "s", "allowlist": ["my-project"], **arguments}
    assert told in refused(lambda: PrivateEndpoint("chat", region="us-central1", **given) and None)


def test_a_fleet_makes_the_same_in_each_region_but_for_its_overrides():
    seen = {}

    def build(place):
        seen[place.region] = dict(place.arguments)
        model = {"model": MODEL, "network": "n", "subnetwork": "s", "allowlist": ["my-project"]}
        return PrivateModelEndpoint(place.name, region=place.region, opts=place.opts, **model).endpoint

    def program():
        fleet = RegionalFleet(
            "llama",
            regions=["us-central1", "europe-west4"],
            build=build,
            arguments={"replicas": 1, "labels": {"a": "b"}},
            overrides={"europe-west4": {"replicas": 2}},
            own_processes=True,
        )
        return list(fleet.members)

    config = {f"mg:{key}": f"the {key}" for key in (*KEYS, "hostThreads")}
    made, regions = run(program, config=config)
    assert regions == ["us-central1", "europe-west4"]
    assert seen == {
        "us-central1": {"replicas": 1, "labels": {"a": "b"}},
        "europe-west4": {"replicas": 2, "labels": {"a": "b"}},
    }
    providers = {each.name: each for each in made.made if each.typ == "pulumi:providers:pulumi-python"}
    assert sorted(providers) == ["llama-europe-west4", "llama-us-central1"]
    # A process that lacked one of the settings would call Google where the others call an endpoint of the user's.
    assert providers["llama-us-central1"].inputs == {"gcp:project": "my-project", **config}
    models = [each for each in made.made if each.typ.endswith(":CustomWeightsModel")]
    used = {each.name: each.provider.split("::")[-2] for each in models}
    assert used == {"llama-us-central1": "llama-us-central1", "llama-europe-west4": "llama-europe-west4"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"regions": []}, "has no regions"),
        ({"regions": ["mars"]}, "mars is not a region"),
        ({"regions": ["us-east1", "us-east1"]}, "comes twice"),
        ({"regions": ["us-east1"], "overrides": {"us-east4": {}}}, "is not in the fleet"),
    ],
)
def test_a_fleet_that_cannot_work_is_refused(arguments, told):
    assert told in refused(lambda: RegionalFleet("f", build=lambda place: None, **arguments) and None)


def test_the_service_agent_may_read_the_weights():
    made, member = run(lambda: WeightsBucketAccess("weights", bucket="weights").member)
    assert member == "serviceAccount:service-111111@gcp-sa-aiplatform.iam.gserviceaccount.com"
    assert made.of("BucketIAMMember")["weights"]["role"] == "roles/storage.objectViewer"
    assert "is not a bucket name" in refused(lambda: WeightsBucketAccess("w", bucket="gs://w/x") and None)


def test_the_service_agent_may_deploy_and_read_images():
    repository = "projects/images/locations/us-central1/repositories/servers"

    def program():
        return ServiceAgentAccess("agent", project="my-project", project_number="42", repositories=[repository]).member

    made, member = run(program)
    assert member == "serviceAccount:service-42@gcp-sa-aiplatform.iam.gserviceaccount.com"
    (grant,) = made.of("IAMMember").values()
    assert (grant["project"], grant["role"], grant["member"]) == ("my-project", "roles/aiplatform.user", member)
    (reading,) = made.of("RepositoryIamMember").values()
    assert {name: reading[name] for name in ("project", "location", "repository", "role")} == {
        "project": "images",
        "location": "us-central1",
        "repository": "servers",
        "role": "roles/artifactregistry.reader",
    }
    told = refused(lambda: ServiceAgentAccess("agent", project_number="42", repositories=["servers"]) and None)
    assert "servers is not the name of a repository" in told


def test_the_service_agent_of_a_project_by_number_is_not_looked_up():
    made, member = run(lambda: WeightsBucketAccess("weights", bucket="my-weights", project_number="42").member)
    assert member == "serviceAccount:service-42@gcp-sa-aiplatform.iam.gserviceaccount.com"
    assert made.calls == []
    told = refused(lambda: WeightsBucketAccess("weights", bucket="my-weights", project_number="my-project"))
    assert "my-project is not a project number" in told


def test_vertex_ai_may_make_addresses_in_the_network():
    def program():
        network = PscNetwork("models", ranges=RANGES)
        PscAutomationPolicy("auto", network=network, regions=["us-central1"], limit=4)

    policy = run(program)[0].of("ServiceConnectionPolicy")["auto-us-central1"]
    assert policy["serviceClass"] == "gcp-vertexai"
    assert policy["pscConfig"]["limit"] == "4"


def test_a_missing_pulumi_gcp_is_told_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pulumi_gcp.compute", None)
    assert "mg-provider[gcp]" in refused(lambda: PscNetwork("models", ranges=RANGES) and None)


def test_the_type_tokens_of_components_are_frozen():
    def program():
        network = PscNetwork("n", ranges=RANGES)
        VpcScAllowlist("a", projects=["my-project"])
        WeightsBucketAccess("w", bucket="b")
        PscAutomationPolicy("p", network=network, regions=["us-central1"])
        ServiceAgentAccess("s")
        RegionalFleet("f", regions=["us-central1"], build=lambda place: None)
        model = {"model": MODEL, "network": "n", "subnetwork": "s", "allowlist": ["my-project"]}
        PrivateModelEndpoint("e", region="us-central1", **model)

    tokens = {each.typ for each in run(program)[0].made if each.typ.startswith("mg:")}
    assert tokens == {
        "mg:components:PscNetwork",
        "mg:components:VpcScAllowlist",
        "mg:components:WeightsBucketAccess",
        "mg:components:PscAutomationPolicy",
        "mg:components:ServiceAgentAccess",
        "mg:components:RegionalFleet",
        "mg:components:PrivateModelEndpoint",
    }


def test_a_value_inside_an_argument_of_a_component_that_is_none_is_refused_by_its_path():
    place = {"region": "us-central1", "network": "n", "subnetwork": "s", "allowlist": ["my-project"]}
    existing = {"network": "shared", "subnetworks": {"us-central1": "psc"}}
    fleet = {"regions": ["us-central1"], "build": lambda place: None}
    cases = {
        "model.parked": lambda: PrivateModelEndpoint("e", model={**MODEL, "parked": None}, **place),
        "allowlist[0]": lambda: PrivateModelEndpoint("e", model=MODEL, **{**place, "allowlist": [None]}),
        "overrides.us-central1": lambda: RegionalFleet("f", **fleet, overrides={"us-central1": None}),
        "overrides.us-central1.parked": lambda: RegionalFleet(
            "f", **fleet, overrides={"us-central1": {"parked": None}}
        ),
        "existing.look_up": lambda: PscNetwork("n", existing={**existing, "look_up": None}),
        "ranges.us-central1": lambda: PscNetwork("n", ranges={"us-central1": None}),
        "perimeter_projects[0]": lambda: VpcScAllowlist("a", projects=["my-project"], perimeter_projects=[None]),
    }
    for path, program in cases.items():
        assert f": {path} is left empty (null)" in refused(lambda program=program: program() and None)


def test_a_rule_in_a_project_that_is_allowed_to_connect_is_made_and_a_number_is_not_judged():
    place = {"region": "us-central1", "network": "n", "subnetwork": "s", "allowlist": ["projects/client-project"]}
    for project in ("client-project", "123456"):
        made, _ = run(lambda p=project: PrivateModelEndpoint("e", model=MODEL, rule_project=p, **place).url)
        assert made.of("PscForwardingRule")["e"]["project"] == project
        assert made.of("PscForwardingRule")["e"]["endpoint_allowlist"] == ["client-project"]


@pytest.mark.parametrize("kind", [CustomWeightsModel, DedicatedEndpoint])
@pytest.mark.parametrize("preview", [True, False])
def test_a_rule_knows_the_allowlist_of_the_endpoint_that_it_is_wired_to(kind, preview):
    allowed = {"enable_private_service_connect": True, "project_allowlist": ["client-project"]}

    def program(**more):
        source = MODEL if kind is CustomWeightsModel else {}
        served = kind("llama", private_service_connect_config=allowed, **source)
        PscForwardingRule("llama", endpoint=served.endpoint, network="n", subnetwork="s", **more)

    rules = run(program, preview=preview)[0].of("PscForwardingRule")
    assert rules["llama"]["endpoint_allowlist"] == ["client-project"]
    rules = run(lambda: program(endpoint_allowlist=["my-project"]), preview=preview)[0].of("PscForwardingRule")
    assert rules["llama"]["endpoint_allowlist"] == ["my-project"]


@pytest.mark.parametrize("kind", [CustomWeightsModel, DedicatedEndpoint])
@pytest.mark.parametrize("by", ["endpoint", "service_attachment"])
@pytest.mark.parametrize(
    ("config", "private"),
    [
        (None, False),
        ({"enable_private_service_connect": False}, False),
        ({"enable_private_service_connect": True}, True),
    ],
    ids=["left out", "off", "on"],
)
def test_a_rule_knows_whether_the_endpoint_that_it_is_wired_to_is_private(kind, by, config, private):
    def program():
        served = kind("llama", private_service_connect_config=config, **(MODEL if kind is CustomWeightsModel else {}))
        PscForwardingRule("llama", network="n", subnetwork="s", **{by: getattr(served, by)})

    for preview in (True, False):
        rules = run(program, preview=preview)[0].of("PscForwardingRule")
        assert rules["llama"]["endpoint_is_private"] is private


def test_of_an_endpoint_that_this_program_does_not_make_a_rule_knows_no_allowlist():
    endpoint = "projects/p/locations/us-central1/endpoints/e"

    def program():
        for name, given in {"text": endpoint, "output": pulumi.Output.from_input(endpoint)}.items():
            PscForwardingRule(name, endpoint=given, network="n", subnetwork="s")
        public = CustomWeightsModel("public", **MODEL)
        PscForwardingRule("public", endpoint=public.endpoint, network="n", subnetwork="s")

    rules = run(program)[0].of("PscForwardingRule")
    assert {name: inputs.get("endpoint_is_private") for name, inputs in rules.items()} == {
        "text": None,
        "output": None,
        "public": False,
    }
    assert {name: inputs["endpoint_allowlist"] for name, inputs in rules.items()} == {key: [] for key in rules}
    assert set(rules) == {"text", "output", "public"}


def test_an_endpoint_knows_what_its_models_are_called_where_that_is_certain():
    own = {"image_uri": "gcr.io/p/vllm:1"}

    def program():
        models = {
            "weights": CustomWeightsModel("weights", **MODEL),
            "chosen": CustomWeightsModel("chosen", query_model_id="chat", container_spec=own, **MODEL),
            "container": CustomWeightsModel("container", container_spec=own, **MODEL),
            "published": CustomWeightsModel("published", publisher_model_name="publishers/p/models/m@1"),
        }
        served = {name: {"model": model.model} for name, model in models.items()}
        served["elsewhere"] = {"model": "projects/p/locations/us-central1/models/m"}
        DedicatedEndpoint("chat", deployed_models=served, traffic_split={"weights": 50, "chosen": 50})

    known = run(program)[0].of("DedicatedEndpoint")["chat"]["query_model_ids"]
    # The mocks answer with what was asked for: only the provider names what nobody named.
    assert known == {"weights": "", "chosen": "", "container": "", "published": ""}
