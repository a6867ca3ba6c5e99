"""A stand-in for the `pulumi` command, with the rehearsal engine: the calls that the pipelines make, and no others."""

import argparse
import contextlib
import io
import json
import shutil
import sys
from pathlib import Path

import yaml

from mg_provider.rehearsal.command import rehearse

STATE = Path(".mg/state.json")


def arguments():
    parser = argparse.ArgumentParser(prog="pulumi", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    preview, up = commands.add_parser("preview"), commands.add_parser("up")
    for each in (preview, up):
        each.add_argument("--stack", required=True)
        each.add_argument("--non-interactive", action="store_true", required=True)
    for flag in ("--json", "--show-sames"):
        preview.add_argument(flag, action="store_true", required=True)
    preview.add_argument("--refresh", action="store_true")
    preview.add_argument("--save-plan", type=Path)
    for flag in ("--yes", "--skip-preview"):
        up.add_argument(flag, action="store_true", required=True)
    up.add_argument("--plan", type=Path, required=True)
    config = commands.add_parser("config").add_subparsers(dest="operation", required=True).add_parser("set")
    config.add_argument("--stack", required=True)
    config.add_argument("--path", action="store_true", required=True)
    config.add_argument("key")
    config.add_argument("value")
    output = commands.add_parser("stack").add_subparsers(dest="operation", required=True).add_parser("output")
    output.add_argument("--stack", required=True)
    output.add_argument("--json", action="store_true", required=True)
    return parser.parse_args()


def digest(stack, state=STATE):
    said = []
    code = rehearse("preview", stack, Path(), state, as_json=True, write=said.append)
    return code, json.loads("".join(said) or "{}")


def planned(content):
    """What a plan holds up to: each step with its inputs."""
    sides = [(step["op"], step["urn"], (step.get("newState") or {}).get("inputs")) for step in content["steps"]]
    return json.loads(json.dumps(sides))


def refreshed(stack):
    """A state of what is in the cloud now, and what a refresh found there."""
    copy = STATE.with_name("refreshed.json")
    shutil.copy(STATE, copy)
    rehearse("refresh", stack, Path(), copy, as_json=True, write=lambda _: None)
    before, after = (
        {entry["urn"]: entry for entry in json.loads(path.read_text())["deployment"]["resources"]}
        for path in (STATE, copy)
    )
    changed = [urn for urn in before if urn in after and before[urn].get("outputs") != after[urn].get("outputs")]
    return copy, [{"op": "refresh", "urn": urn, "oldState": before[urn], "newState": after[urn]} for urn in changed]


def preview(asked):
    state, found = refreshed(asked.stack) if asked.refresh else (STATE, [])
    code, content = digest(asked.stack, state)
    content["steps"] = [*found, *content.get("steps", [])]
    sys.stdout.write(json.dumps(content))
    if asked.save_plan and not code:
        asked.save_plan.write_text(json.dumps(planned(content)))
    return code


def up(asked):
    with contextlib.redirect_stdout(io.StringIO()):
        _, content = digest(asked.stack)
    if planned(content) != json.loads(asked.plan.read_text()):
        sys.stderr.write("error: violates plan\n")
        return 1
    return rehearse("up", asked.stack, Path(), STATE)


def config(asked):
    path = next(Path().rglob(f"Pulumi.{asked.stack}.yaml"))
    document = yaml.safe_load(path.read_text())
    project, _, rest = asked.key.partition(":")
    first, *keys = rest.split(".")
    place = document["config"][f"{project}:{first}"]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = {"true": True, "false": False}.get(asked.value, asked.value)
    path.write_text(yaml.safe_dump(document))
    return 0


def stack(asked):
    resources = json.loads(STATE.read_text())["deployment"]["resources"]
    outputs = next(entry.get("outputs", {}) for entry in resources if entry["type"] == "pulumi:pulumi:Stack")
    sys.stdout.write(json.dumps(outputs))
    return 0


if __name__ == "__main__":
    given = arguments()
    sys.exit({"preview": preview, "up": up, "config": config, "stack": stack}[given.command](given))
