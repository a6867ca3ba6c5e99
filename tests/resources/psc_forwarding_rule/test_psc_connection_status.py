"""What the producer says of a connection, in words; and what of a rule changes in place."""

import pytest

from mg_provider.emulator.services.service_attachments import service_attachments
from mg_provider.resources.psc_forwarding_rule import PscForwardingRuleProvider
from mg_provider.wire.compute import ForwardingRule, is_accepted
from tests.resources.psc_forwarding_rule.test_psc_addresses import ATTACHMENT, arguments, attach, end
from tests.support.lives.endpoints import told
from tests.support.lives.host import HostError
from tests.support.lives.life import Life
from tests.support.samples.weights import call

RULES = "/compute/v1/projects/my-project/regions/us-central1/forwardingRules"
SOON = {"create": 0.3, "update": 0.3}


@pytest.fixture
def life(host):
    return Life(host, PscForwardingRuleProvider, name="address")


def changing(emulator, since):
    made = [one for one in emulator.requests()[since:] if one["method"] != "GET"]
    return [one["rpc"].removeprefix("compute.forwardingRules.") for one in made]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("PENDING", "add my-project to project_allowlist"),
        ("REJECTED", "the producer refuses this rule's project"),
        ("NEEDS_ATTENTION", "the producer has accepted, and has to act"),
    ],
)
def test_a_connection_that_is_not_accepted_is_explained_and_the_next_run_goes_on(emulator, life, status, says):
    attach(emulator, "other-project")
    emulator.behave(unlisted_project=status)
    with pytest.raises(HostError, match=f"is {status} after") as failure:
        life.up(arguments(timeouts=SOON))
    assert says in failure.value.text
    assert life.outputs["psc_connection_status"] == status
    ip = life.outputs["ip_address"]
    assert failure.value.kept is not None
    with pytest.raises(HostError, match=f"is {status} after"):
        life.up(arguments(timeouts=SOON))
    attach(emulator, "my-project")
    outputs = life.up(arguments(timeouts=SOON))
    assert (outputs["ip_address"], outputs["psc_connection_status"]) == (ip, "ACCEPTED")
    assert life.refresh() == {}
    end(emulator, life)


def test_a_rule_that_was_not_accepted_can_be_destroyed(emulator, life):
    attach(emulator, "other-project")
    with pytest.raises(HostError, match="PENDING"):
        life.up(arguments(timeouts=SOON))
    end(emulator, life)


def test_a_project_by_number_is_told_that_the_allowlist_takes_ids(emulator, life):
    attach(emulator, "other-project")
    number = emulator.world.project_number("my-project")
    with pytest.raises(HostError, match=f"its id: the allowlist does not take the number {number}"):
        life.up(arguments(timeouts=SOON, project=number))
    end(emulator, life)


def test_a_closed_connection_shows_on_refresh_and_up_says_what_to_do_until_there_is_another(emulator, life):
    attach(emulator)
    before = life.up(arguments())
    with emulator.world.lock:
        service_attachments(emulator.world).remove(ATTACHMENT)
    assert life.refresh() == {"service_attachment": ""}
    assert life.outputs["psc_connection_status"] == "CLOSED"
    with pytest.raises(HostError, match="service attachment does not exist") as failure:
        life.up(arguments())
    assert "Vertex AI recycles it once every model is undeployed" in failure.value.text
    attach(emulator, path=ATTACHMENT + "2")
    after = life.up(arguments(service_attachment=ATTACHMENT + "2"))
    assert (after["ip_address"], after["psc_connection_status"]) == (before["ip_address"], "ACCEPTED")
    end(emulator, life)


def test_labels_and_global_access_change_in_place(emulator, life):
    attach(emulator)
    before = life.up(arguments(labels={"team": "search"}))
    seen = len(emulator.requests())
    after = life.up(arguments(labels={"team": "ads"}, allow_psc_global_access=True))
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert changing(emulator, seen) == ["compute.addresses.setLabels", "setLabels", "patch"]
    assert life.refresh() == {}
    end(emulator, life)


def test_where_global_access_cannot_be_patched_the_rule_is_made_again_behind_its_address(emulator, life):
    attach(emulator)
    emulator.behave(patch_global_access="refuse")
    before = life.up(arguments())
    after = life.up(arguments(allow_psc_global_access=True))
    assert after["ip_address"] == before["ip_address"]
    assert after["psc_connection_id"] != before["psc_connection_id"]
    assert life.refresh() == {}
    end(emulator, life)


OWN = [{"namespace": "models", "service": "llama"}]


@pytest.mark.parametrize(
    "change",
    [{"no_automate_dns_zone": True}, {"service_directory_registrations": OWN}],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("service_directory", ["asked", "always"])
@pytest.mark.parametrize("dns", ["shown", "hidden"])
def test_what_a_rule_cannot_change_makes_it_again_behind_its_address(emulator, life, change, service_directory, dns):
    attach(emulator)
    emulator.behave(service_directory=service_directory, own_service_directory="keep", psc_automated_dns=dns)
    before = life.up(arguments())
    assert life.refresh() == {}
    after = life.up(arguments(**change))
    assert after["ip_address"] == before["ip_address"]
    (*_, sent) = [one["body"] for one in emulator.requests() if one["rpc"] == "compute.forwardingRules.insert"]
    names = {"no_automate_dns_zone": "noAutomateDnsZone"}
    name, value = next(iter(change.items()))
    assert sent[names.get(name, "serviceDirectoryRegistrations")] == value
    assert life.refresh() == {}
    assert life.up(arguments())["ip_address"] == before["ip_address"]
    assert life.refresh() == {}
    end(emulator, life)


@pytest.mark.parametrize("psc_description", ["dropped", "kept"])
def test_a_description_is_sent_and_never_makes_a_rule_again(emulator, life, psc_description):
    attach(emulator)
    emulator.behave(psc_description=psc_description)
    before = life.up(arguments(description="to the model"))
    (sent,) = [one["body"] for one in emulator.requests() if one["rpc"] == "compute.forwardingRules.insert"]
    assert sent["description"] == "to the model"
    assert life.refresh() == {}
    seen = len(emulator.requests())
    after = life.up(arguments(description="to another model"))
    assert changing(emulator, seen) == []
    assert after["psc_connection_id"] == before["psc_connection_id"]
    assert life.refresh() == {}
    assert life.preview(arguments(description="to another model")) == ("same", [])
    end(emulator, life)


def test_a_namespace_that_is_refused_leaves_nothing_of_a_creation_but_the_address_and_says_what_to_do(emulator, life):
    attach(emulator)
    with pytest.raises(HostError, match="serviceDirectoryRegistrations") as failure:
        life.up(arguments(service_directory_registrations=OWN))
    assert "leave service_directory_registrations out" in failure.value.text
    life.up(arguments())
    assert life.refresh() == {}
    end(emulator, life)


def test_a_change_that_compute_engine_refuses_leaves_the_rule_as_it_was(emulator, life):
    attach(emulator)
    before = life.up(arguments(labels={"team": "search"}, allow_psc_global_access=True))
    with pytest.raises(HostError, match="serviceDirectoryRegistrations") as failure:
        life.up(arguments(labels={"team": "search"}, service_directory_registrations=OWN, allow_psc_global_access=True))
    assert "as it was before" in failure.value.text
    shown = call(f"{emulator.url}{RULES}/{before['forwarding_rule_name']}", method="GET")
    assert (shown["IPAddress"], shown["allowPscGlobalAccess"]) == (before["ip_address"], True)
    assert shown["labels"]["team"] == "search"
    emulator.advance(60)
    after = life.up(arguments(labels={"team": "search"}, allow_psc_global_access=True))
    assert after["psc_connection_status"] == "ACCEPTED"
    assert life.refresh() == {}
    end(emulator, life)


@pytest.mark.parametrize(
    ("status", "accepted"),
    [("ACCEPTED", True), ("ACCEPTED_WITH_LIMITS", True), ("PENDING", False), ("", False), (None, False)],
)
def test_a_status_that_begins_with_accepted_is_accepted(status, accepted):
    rule = ForwardingRule.model_validate({"pscConnectionStatus": status})
    assert is_accepted(rule.psc_connection_status) is accepted


def test_a_new_rule_that_is_pending_for_a_while_is_waited_for_without_a_false_alarm(emulator, life, host):
    attach(emulator)
    emulator.set_speed(50)
    emulator.behave(psc_pending_seconds=30)
    since = len(host.said)
    assert life.up(arguments())["psc_connection_status"] == "ACCEPTED"
    line = told(host, since)
    assert "project_allowlist" not in line
    end(emulator, life)


def test_labels_that_somebody_changes_meanwhile_are_read_again(emulator, life):
    attach(emulator)
    life.up(arguments())
    stale = "Labels fingerprint either invalid or resource labels have changed"
    emulator.fail(rpc="compute.forwardingRules.setLabels", fault="status", status=412, message=stale)
    emulator.fail(rpc="compute.addresses.setLabels", fault="status", status=412, message=stale)
    life.up(arguments(labels={"team": "ads"}))
    assert [fault["met"] for fault in emulator.faults()] == [1, 1]
    assert life.refresh() == {}
    end(emulator, life)


def test_an_update_waits_as_long_as_the_program_says_for_updates(emulator, life):
    attach(emulator)
    life.up(arguments())
    emulator.fail(rpc="compute.forwardingRules.setLabels", fault="stall")
    with pytest.raises(HostError, match=r"has not ended after \d s"):
        life.up(arguments(labels={"team": "ads"}, timeouts={"create": 600, "update": 0.3}))
    assert life.outputs["ip_address"]


def test_labels_of_others_stay_and_are_no_drift(emulator, life):
    attach(emulator)
    outputs = life.up(arguments(labels={"team": "search"}))
    rule = f"{emulator.url}{RULES}/{outputs['forwarding_rule_name']}"
    shown = call(rule, method="GET")
    body = {"labels": {**shown["labels"], "cost-tool": "seen"}, "labelFingerprint": shown["labelFingerprint"]}
    call(f"{rule}/setLabels", body)
    emulator.advance(60)
    assert life.refresh() == {}
    life.up(arguments(labels={"area": "ads"}))
    labels = call(rule, method="GET")["labels"]
    assert {name: labels.get(name) for name in ("cost-tool", "area", "team")} == {
        "cost-tool": "seen",
        "area": "ads",
        "team": None,
    }
    end(emulator, life)


def test_an_own_label_removed_by_hand_shows_and_comes_back(emulator, life):
    attach(emulator)
    outputs = life.up(arguments(labels={"team": "search"}))
    rule = f"{emulator.url}{RULES}/{outputs['forwarding_rule_name']}"
    shown = call(rule, method="GET")
    kept = {name: value for name, value in shown["labels"].items() if name != "team"}
    call(f"{rule}/setLabels", {"labels": kept, "labelFingerprint": shown["labelFingerprint"]})
    emulator.advance(60)
    assert life.refresh() == {"labels": {}}
    life.up(arguments(labels={"team": "search"}))
    assert life.refresh() == {}
    end(emulator, life)
