"""A private address to an endpoint by name: known in previews, and healed when Vertex AI recycles the attachment."""

import pytest

from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from tests.support.lives.host import HostError, unknown
from tests.support.lives.life import CheckFailed, Life
from tests.support.lives.private_endpoint import PrivateModel, private_model
from tests.support.samples.weights import call

REGION = "/compute/v1/projects/my-project/regions/us-central1"


@pytest.fixture
def private(emulator, host):
    return private_model(emulator, host)


@pytest.fixture
def life(host):
    return Life(host, PscForwardingRuleProvider, name="address")


def arguments(private, **more):
    return {"endpoint": private.endpoint, "network": "vpc", "subnetwork": "clients", **more}


def kinds(emulator):
    return sorted(entry["kind"] for entry in emulator.ledger()["resources"])


def calls(emulator, part=""):
    return [one["rpc"].removeprefix("compute.") for one in emulator.requests() if part in one.get("rpc", "")]


def end(emulator, *lives):
    for life in lives:
        life.destroy()
    assert emulator.ledger()["empty"], emulator.ledger()["leftovers"]


def test_the_attachment_is_looked_up_and_what_clients_need_is_told(emulator, life, private):
    outputs = life.up(arguments(private))
    ip = outputs["ip_address"]
    assert outputs["psc_connection_status"] == "ACCEPTED"
    assert outputs["connected_service_attachment"] == private.attachment
    assert outputs["http_url"] == f"http://{ip}"
    assert outputs["https_url"] == f"https://{ip}"
    assert outputs["base_url"] == f"http://{ip}/v1beta1/{private.endpoint}"
    assert outputs["reserved_address"].endswith(f"/addresses/{outputs['forwarding_rule_name']}")
    assert life.refresh() == {}
    assert life.preview(arguments(private)) == ("same", [])
    end(emulator, life, private)


def test_the_base_url_answers_a_question(emulator, life, private):
    outputs = life.up(arguments(private))
    where = emulator.addresses()[outputs["ip_address"]]
    url = outputs["base_url"].replace(outputs["http_url"], where) + "/chat/completions"
    answer = call(url, {"model": private.outputs["model_id"], "messages": [{"role": "user", "content": "Hello"}]})
    assert answer["choices"]
    end(emulator, life, private)


def test_a_change_of_the_model_is_no_change_of_the_rule(emulator, life, private):
    life.up(arguments(private))
    wanted = {**private.arguments, "labels": {"team": "ads"}, "min_replica_count": 1, "max_replica_count": 2}
    assert private.preview(wanted) == ("update", [])
    # What a preview of that update hands on: the model's own attachment would be unknown, its endpoint is known.
    assert private.check(wanted)["endpoint"] == private.endpoint
    assert life.preview(arguments(private)) == ("same", [])
    by_attachment = {"service_attachment": unknown(), "network": "vpc", "subnetwork": "clients"}
    assert life.preview(by_attachment) == ("update", [])
    end(emulator, life, private)


def test_a_recycled_attachment_shows_on_refresh_and_up_heals_it_behind_the_same_ip(emulator, host, life, private):
    before = life.up(arguments(private))
    private.undeploy()
    private.recycle()
    private.deploy()
    assert private.attachment != before["connected_service_attachment"]
    assert life.refresh() == {"endpoint": ""}
    assert life.outputs["psc_connection_status"] == "CLOSED"
    assert any("is CLOSED, as the endpoint has a new service attachment: `pulumi up`" in line for line in host.said)
    # A second look changes nothing.
    assert life.refresh() == {}
    assert life.preview(arguments(private)) == ("update", [])
    after = life.up(arguments(private))
    assert after["connected_service_attachment"] == private.attachment
    assert after["psc_connection_status"] == "ACCEPTED"
    assert {name: after[name] for name in ("ip_address", "forwarding_rule", "base_url")} == {
        name: before[name] for name in ("ip_address", "forwarding_rule", "base_url")
    }
    assert life.refresh() == {}
    end(emulator, life, private)


def test_a_connection_closed_while_nothing_is_deployed_heals_in_the_run_that_deploys_again(emulator, life, private):
    before = life.up(arguments(private))
    private.undeploy()
    private.recycle()
    assert life.refresh() == {"endpoint": ""}
    # As long as nothing is deployed, a run fails nothing and leaves address and rule.
    assert life.up(arguments(private))["psc_connection_status"] == "CLOSED"
    assert life.refresh() == {"endpoint": ""}
    private.deploy()
    after = life.up(arguments(private))
    assert after["psc_connection_status"] == "ACCEPTED"
    assert after["ip_address"] == before["ip_address"]
    assert life.refresh() == {}
    end(emulator, life, private)


def test_refresh_costs_one_call_more_than_rule_and_address(emulator, life, private):
    life.up(arguments(private))
    before = len(emulator.requests())
    assert life.refresh() == {}
    made = [one["rpc"].split(".", 1)[1] for one in emulator.requests()[before:]]
    assert made == ["forwardingRules.get", "addresses.get", "projects.locations.endpoints.get"]
    end(emulator, life, private)


def test_a_parked_model_leaves_address_and_rule_and_fails_nothing(emulator, life, private):
    before = life.up(arguments(private, triggers={"parked": "false"}))
    private.undeploy()
    parked = life.up(arguments(private, triggers={"parked": "true"}, labels={"team": "ads"}))
    assert parked["ip_address"] == before["ip_address"]
    assert parked["psc_connection_status"] == "ACCEPTED"
    assert life.refresh() == {}
    private.recycle()
    assert life.refresh() == {}
    assert life.outputs["psc_connection_status"] == "CLOSED"
    private.deploy()
    # In the run that brings the model back, the trigger does what a refresh would find.
    after = life.up(arguments(private, triggers={"parked": "false"}, labels={"team": "ads"}))
    assert after["psc_connection_status"] == "ACCEPTED"
    assert after["ip_address"] == before["ip_address"]
    end(emulator, life, private)


def test_a_model_parked_for_less_than_an_hour_keeps_its_connection(emulator, life, private):
    before = life.up(arguments(private, triggers={"parked": "false"}))
    private.undeploy()
    private.deploy()
    seen = len(emulator.requests())
    after = life.up(arguments(private, triggers={"parked": "again"}))
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert not [one for one in emulator.requests()[seen:] if one["method"] != "GET"]
    end(emulator, life, private)


def test_before_anything_is_deployed_the_address_waits_without_a_rule(emulator, life, private):
    private.undeploy()
    private.recycle()
    outputs = life.up(arguments(private))
    assert outputs["ip_address"]
    assert outputs["psc_connection_status"] == ""
    assert "compute.ForwardingRule" not in kinds(emulator)
    assert life.refresh() == {}
    private.deploy()
    assert life.refresh() == {"endpoint": ""}
    after = life.up(arguments(private))
    assert after["ip_address"] == outputs["ip_address"]
    assert after["psc_connection_status"] == "ACCEPTED"
    end(emulator, life, private)


def test_a_closed_rule_that_must_change_while_parked_goes_and_its_address_stays(emulator, life, private):
    before = life.up(arguments(private))
    private.undeploy()
    private.recycle()
    parked = life.up(arguments(private, no_automate_dns_zone=True))
    assert parked["ip_address"] == before["ip_address"]
    assert "compute.ForwardingRule" not in kinds(emulator)
    private.deploy()
    life.refresh()
    after = life.up(arguments(private, description="to the model"))
    assert (after["ip_address"], after["psc_connection_status"]) == (before["ip_address"], "ACCEPTED")
    end(emulator, life, private)


def test_an_endpoint_that_is_gone_shows_on_refresh_and_is_named_by_up(emulator, life, private):
    before = life.up(arguments(private))
    private.destroy()
    assert life.refresh() == {"endpoint": ""}
    with pytest.raises(HostError, match=r"endpoints/.* does not exist") as failure:
        life.up({**arguments_of(before)})
    assert failure.value.kept is None
    assert life.outputs["ip_address"] == before["ip_address"]
    end(emulator, life)


def arguments_of(outputs):
    return {"endpoint": outputs["endpoint"], "network": "vpc", "subnetwork": "clients"}


def test_a_public_endpoint_is_refused_before_anything_is_made(emulator, host, life):
    public = private_model(emulator, host, private_service_connect_config=None)
    with pytest.raises(HostError, match=r"is not private[\s\S]*private_service_connect_config") as failure:
        life.up(arguments(public))
    assert failure.value.kept is None
    assert not calls(emulator, "compute.addresses.insert")
    end(emulator, public)


def test_a_project_that_is_not_on_the_allowlist_is_told_so_before_anything_is_made(emulator, life, private):
    private.allow("other-project", "third-project")
    with pytest.raises(HostError, match="add my-project to project_allowlist") as failure:
        life.up(arguments(private))
    assert "which has other-project, third-project" in failure.value.text
    assert failure.value.kept is None
    assert not calls(emulator, "compute.addresses.insert")
    private.allow("other-project", "my-project")
    assert life.up(arguments(private))["psc_connection_status"] == "ACCEPTED"
    end(emulator, life, private)


def test_a_403_on_the_endpoint_removes_nothing_from_state(emulator, life, private):
    life.up(arguments(private))
    emulator.fail(rpc="endpoints.get", fault="status", status=403, code="PERMISSION_DENIED")
    with pytest.raises(HostError, match="403"):
        life.refresh()
    assert life.refresh() == {}
    end(emulator, life, private)


def test_from_attachment_to_endpoint_the_connection_is_not_cut(emulator, life, private):
    by_attachment = {"service_attachment": private.attachment, "network": "vpc", "subnetwork": "clients"}
    before = life.up(by_attachment)
    assert before["base_url"] == ""
    assert life.preview(arguments(private)) == ("update", [])
    after = life.up(arguments(private))
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert after["base_url"]
    assert not calls(emulator, "forwardingRules.delete")
    end(emulator, life, private)


def test_attachment_and_endpoint_together_are_refused(life, private):
    with pytest.raises(CheckFailed, match="given beside endpoint"):
        life.up(arguments(private, service_attachment=private.attachment))
    private.destroy()


def test_a_connection_that_is_no_longer_accepted_shows_and_up_explains_until_it_is(emulator, life, private):
    before = life.up(arguments(private, timeouts={"update": 0.3}))
    private.allow("other-project")
    assert life.refresh() == {"endpoint": ""}
    assert life.outputs["psc_connection_status"] == "PENDING"
    with pytest.raises(HostError, match="is PENDING after") as failure:
        life.up(arguments(private, timeouts={"update": 0.3}))
    assert f"add my-project to project_allowlist in the private_service_connect_config of {private.endpoint}" in str(
        failure.value
    )
    private.allow("my-project")
    after = life.up(arguments(private, timeouts={"update": 0.3}))
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert life.refresh() == {}
    end(emulator, life, private)


def test_a_rejected_connection_shows_on_refresh_and_is_made_again(emulator, life, private):
    before = life.up(arguments(private))
    emulator.behave(unlisted_project="REJECTED")
    private.allow("other-project")
    assert life.refresh() == {"endpoint": ""}
    with pytest.raises(HostError, match="add my-project to project_allowlist"):
        life.up(arguments(private))
    # What is there is left alone while a new rule would be refused as well.
    assert not calls(emulator, "forwardingRules.delete")
    private.allow("my-project", "other-project")
    assert life.up(arguments(private))["ip_address"] == before["ip_address"]
    end(emulator, life, private)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "lose_answer"},
        {"fault": "status", "status": 503},
        {"fault": "status", "status": 429, "retry_after": 0},
        {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
    ],
    ids=lambda fault: str(fault.get("status", fault["fault"])),
)
def test_a_look_up_that_fails_makes_nothing_and_the_next_run_connects(emulator, life, private, fault):
    emulator.fail(rpc="aiplatform.projects.locations.endpoints.get", **fault)
    if fault.get("status") == 403:
        with pytest.raises(HostError, match="403 PERMISSION_DENIED") as failure:
            life.up(arguments(private))
        assert failure.value.kept is None
        assert not calls(emulator, "compute.addresses.insert")
    assert life.up(arguments(private))["psc_connection_status"] == "ACCEPTED"
    assert [fault["met"] for fault in emulator.faults()] == [1]
    end(emulator, life, private)


def test_a_second_endpoint_is_reached_at_the_same_address(emulator, host, life, private):
    before = life.up(arguments(private))
    second = PrivateModel(emulator, host, name="second")
    assert life.preview(arguments(second)) == ("update", [])
    after = life.up(arguments(second))
    assert after["ip_address"] == before["ip_address"]
    assert after["connected_service_attachment"] == second.attachment
    assert after["base_url"].endswith(second.endpoint)
    assert life.refresh() == {}
    end(emulator, life, private, second)
