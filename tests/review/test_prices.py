"""Google's prices of today: read from its catalogue page by page, and taken by a review."""

import json

import pytest

from mg_provider import review
from mg_provider.prices import HOURS_A_MONTH, read_prices, standard_prices
from mg_provider.prices.skus import COMPUTE, VERTEX, CatalogueSku, rows_of
from mg_provider.prices_command import refresh, show
from mg_provider.review.gates import Gates, failed
from tests.review.build import endpoint, model, preview, step

GPU = "Vertex AI: Online/Batch Prediction Nvidia H100 80gb GPU running in Iowa"


@pytest.fixture
def asked(emulator, tmp_path, capsys):
    """Refreshes a file from the emulator; answers the exit code, the file, and what was said."""

    def call(**config):
        path = tmp_path / "prices.json"
        code = refresh(path, {"mg:vertexAiCustomEndpoint": emulator.url, **config})
        return code, path, capsys.readouterr()

    return call


def skus(emulator):
    return [request for request in emulator.requests() if "/skus" in request["path"]]


def test_a_refreshed_file_has_googles_prices_of_every_page(asked, emulator):
    code, path, said = asked()
    assert code == 0
    assert len(skus(emulator)) == 4, "two pages of each service"
    rows = {(row["part"], row["name"], row["region"]): row for row in json.loads(path.read_text())["rows"]}
    h100 = rows["accelerator", "NVIDIA_H100_80GB", "us-central1"]
    assert (h100["usd"], h100["sku"], h100["as_of"]) == (11.2660332, "AE9C-DB60-DF46", "2025-08-15")
    assert "derived" not in h100
    l4 = rows["accelerator", "NVIDIA_L4", "us-central1"]
    assert l4["usd"] == pytest.approx(0.56004 * 1.15)
    assert l4["derived"] is True
    assert "times 1.15" in l4["source"]
    assert len(rows) == 7
    assert "7 prices of 2025-08-15, 4 of them derived" in said.out


def test_a_review_takes_the_refreshed_prices_before_those_of_the_table(asked):
    _, path, _ = asked()
    prices = read_prices(path)
    g2 = prices.hour("g2-standard-12", "us-central1")
    assert g2.usd == pytest.approx(standard_prices().hour("g2-standard-12", "us-central1").usd, rel=0.001)
    assert g2.as_of == "2025-08-15"
    assert prices.hour("a3-highgpu-8g", "us-central1").usd == pytest.approx(101.0074, abs=0.001)
    assert prices.hour("g2-standard-12", "europe-west4").as_of == "2025-08", "no cores are known there: the table says"
    assert prices.hour("a3-ultragpu-8g", "us-central1") is None
    assert prices.hour("a3-megagpu-8g", "us-central1") is None


def test_own_parts_win_over_a_whole_machine_of_the_table(tmp_path):
    path = tmp_path / "prices.json"
    rows = [("accelerator", "NVIDIA_L4", 1.0), ("core", "G2", 0.0), ("memory", "G2", 0.0)]
    entries = [{"part": part, "name": name, "region": "*", "usd": usd} for part, name, usd in rows]
    path.write_text(json.dumps({"as_of": "2026-11-01", "rows": entries}))
    assert read_prices(path).hour("g2-standard-24", "us-central1").usd == 2.0


def sku(description=GPU, service=VERTEX, usage="OnDemand", unit="h", usd=1.0, regions=("us-central1",)):
    return CatalogueSku(service, "X", description, usage, tuple(regions), unit, usd, "2026-11-01")


@pytest.mark.parametrize(
    "other",
    [
        sku("Spot " + GPU),
        sku(GPU.replace(" running in", " management fee on")),
        sku(GPU.replace("Online/Batch Prediction", "Training")),
        sku(usage="Preemptible"),
        sku(usage="Commit1Yr"),
        sku(unit="mo"),
        sku(usd=None),
        sku(regions=("global",)),
        sku(service=COMPUTE),
        sku("Nvidia L4 GPU attached to Spot Preemptible VMs running in Iowa", COMPUTE),
        sku("Nvidia L4 GPU running in Iowa", VERTEX),
        sku("Nvidia H200 141GB GPU running in Iowa", COMPUTE),
        sku("A3 Ultra Instance Core running in Iowa", COMPUTE),
        sku("G2 Sole Tenancy Instance Core running in Iowa", COMPUTE),
        sku("G2 Instance Ram running in Iowa", COMPUTE, unit="h"),
        sku(""),
    ],
)
def test_what_is_not_the_price_of_a_machine_that_serves_is_no_row(other):
    assert rows_of([other]) == []


def test_googles_own_price_for_serving_wins_over_a_derived_one_in_any_order():
    own, derived = sku(usd=11.0), sku("Nvidia H100 80GB GPU running in Iowa", COMPUTE, usd=9.0)
    for order in ([own, derived], [derived, own]):
        (row,) = rows_of(order)
        assert (row.usd, row.derived) == (11.0, False)


def test_a_refusal_leaves_the_file_as_it_was(asked, emulator, tmp_path):
    (tmp_path / "prices.json").write_text("mine")
    emulator.fail(rpc="cloudbilling.services.skus.list", fault="status", status=403)
    code, path, said = asked()
    assert code == 1
    assert path.read_text() == "mine"
    assert "prices.json, unchanged" in said.err


def test_a_rehearsal_asks_for_no_price_elsewhere(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MG_REHEARSAL", "1")
    assert refresh(tmp_path / "prices.json", {}) == 2
    assert "a rehearsal talks to this machine only" in capsys.readouterr().err
    assert not (tmp_path / "prices.json").exists()


def test_the_table_is_shown_with_the_date_of_each_price(capsys):
    assert show() == 0
    said = capsys.readouterr()
    assert any(
        line.split()[:2] == ["g2-standard-12", "us-central1"] and "(2025-08, derived)" in line
        for line in said.out.splitlines()
    )


def test_a_file_that_is_not_one_of_prices_is_said(tmp_path, capsys):
    (tmp_path / "x.json").write_text("[]")
    assert show(tmp_path / "x.json") == 2
    assert "not a table of prices" in capsys.readouterr().err


@pytest.mark.parametrize("nodes", [1, 2, 4])
@pytest.mark.parametrize("replicas", [1, 2])
def test_all_nodes_of_a_replica_are_counted_and_paid(nodes, replicas):
    """Money goes with GPUs: of a replica on several nodes, each of them is a machine."""
    spec = {"machine_type": "a2-highgpu-8g", "accelerator_type": "NVIDIA_TESLA_A100", "accelerator_count": 8}
    made = {**model(machine_spec={**spec, "multihost_gpu_node_count": nodes}), "max_replica_count": replicas}
    found = review.of(preview(step("create", "CustomWeightsModel", "llama", None, made)))
    hour = standard_prices().hour("a2-highgpu-8g", "us-central1").usd
    assert found.gpus.after == (8 * nodes, 8 * nodes * replicas)
    assert found.money.after.min.month == pytest.approx(hour * nodes * HOURS_A_MONTH, abs=0.01)
    assert found.money.after.max.month == pytest.approx(hour * nodes * replicas * HOURS_A_MONTH, abs=0.01)
    assert found.money.peak.usd == pytest.approx(hour * nodes * replicas, abs=0.001)
    assert ("on 4 nodes" in found.model_dump_json()) == (nodes == 4)


@pytest.mark.parametrize("spec", [{}, {"machine_spec": None}], ids=["with a machine", "with none"])
@pytest.mark.parametrize(("kind", "make"), [("CustomWeightsModel", model), ("DedicatedEndpoint", endpoint)])
@pytest.mark.parametrize("change", [{}, {"labels": {"team": "a"}}], ids=["same", "update"])
def test_what_is_parked_has_no_gpus_and_costs_nothing(spec, kind, make, change):
    """Also where Google would choose the machine."""
    parked = make(parked=True, **spec if kind == "CustomWeightsModel" else {})
    for served in parked.get("deployed_models", {}).values():
        served.update(spec)
    op = "update" if change else "same"
    found = review.of(preview(step(op, kind, "llama", parked, {**parked, **change})))
    assert found.gpus.unknown == []
    assert found.gpus.after == (0, 0)
    assert found.money.after.max.usd == 0
    assert failed(found, Gates(gpus=0, budget=0)) == []
