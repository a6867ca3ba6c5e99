"""What deploys gives the same deployment for the same arguments, whichever way it goes."""

import pytest

from mg_provider.resources.custom_weights_model.args import CustomWeightsModelArgs
from mg_provider.resources.model.standing import standing
from tests.support.lives.deployments import groups, ways
from tests.support.lives.endpoints import make_bucket_once

GROUPS = groups(CustomWeightsModelArgs)


def test_every_argument_of_a_deployment_is_deployed_here():
    assert {name for group in GROUPS for name in group} >= set(standing(CustomWeightsModelArgs, "deployment"))


@pytest.mark.parametrize("given", [{}, *GROUPS], ids=["nothing", *("+".join(group) for group in GROUPS)])
def test_all_ways_give_the_same_deployment(emulator, host, given):
    make_bucket_once(emulator)
    told = dict(ways(emulator, host, given))
    first = told["creation"]
    for way, deployed in told.items():
        apart = {"systemLabels"} if way == "DedicatedEndpoint" else set()
        assert {name: deployed.get(name) for name in {*first, *deployed} - apart} == {
            name: first.get(name) for name in {*first, *deployed} - apart
        }, way
