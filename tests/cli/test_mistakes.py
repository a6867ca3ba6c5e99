"""Every kind of mistake, on every command: one form of the error, and the exit code of a mistake."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mg_provider.cli import app
from mg_provider.command_line.exits import FAILED, FINE, PREVIEW_FAILED, USAGE
from mg_provider.command_line.running import built, run_app
from mg_provider.command_line.variables import variable_of
from tests.support.running.forks import project_file

FORM = re.compile(r"error: \S.*\n(?:.*\n)*?(?:exists: .+\n)*do: \S.+\n")
Mistake = Callable[..., str]


@pytest.fixture
def mistake(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mistake:
    """Runs a command line that is wrong, in an empty folder; what was said of it."""
    for name in [name for name in os.environ if name.startswith("MG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.not-a-token")

    def run(*arguments: object, code: int = USAGE) -> str:
        given = [str(argument) for argument in arguments]
        ended, said = run_app(app, given, str), capsys.readouterr().err
        assert FORM.fullmatch(said), f"mg {' '.join(given)}\n{said}"
        assert said.count("\ndo: ") == 1, said
        for words in ("Value error", "Input should", "Traceback", "Error:", "errno", "Errno"):
            assert words not in said, said
        assert ended == code, f"mg {' '.join(given)}: {ended}\n{said}"
        return said

    return run


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command, with the words that lead to it."""
    yield path, command
    for name, nested in getattr(command, "commands", {}).items():
        yield from commands(nested, (*path, name))


ALL = [*commands(built(app))]
OPTIONS = [
    (path, option, max(option.opts, key=len))
    for path, command in ALL
    for option in command.params
    if option.param_type_name == "option"
]


# What a command cannot do without.
NEEDED = {
    ("query",): ["e", "q"],
    ("certificate",): ["host"],
    ("preflight",): ["gs://a/b", "--region", "us-central1"],
    ("import",): ["--all"],
    ("batch", "check"): ["x"],
    ("batch", "prepare"): ["x", "y"],
    ("batch", "results"): ["x"],
    ("models", "show"): ["x"],
    ("emulator", "seed"): ["x"],
}


def test_an_option_that_is_not_there_is_answered_with_the_nearest_one(mistake: Mistake) -> None:
    assert len(ALL) > 20
    for path, _ in ALL:
        assert "has no option --qqqqqq\n" in mistake(*path, "--qqqqqq")
    for path, option, name in OPTIONS:
        wrong = name[:-2] + name[-1:-3:-1] if name[-1] != name[-2] else name + name[-1]
        if any(wrong in other.opts for _, other, _ in OPTIONS) or (option.is_flag and len(name) < 5):
            continue
        assert f"do: did you mean {name}?\n" in mistake(*path, wrong, "x")


def test_a_command_that_is_not_there_is_answered_with_the_nearest_one(mistake: Mistake) -> None:
    for path, command in ALL:
        for name in getattr(command, "commands", {}):
            assert f"do: did you mean {name}?\n" in mistake(*path, name + name[-1])


def test_a_value_that_an_option_does_not_take_is_said_with_what_gave_it(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {int: "many", float: "much", bool: "perhaps"}
    told = 0
    for path, option, name in OPTIONS:
        kind = option.type_descriptor
        value = "nosuch" if kind.is_choice else wrong.get(kind.annotation)
        if value is None or option.is_flag:
            continue
        assert mistake(*path, *NEEDED.get(path, []), name, value).startswith(f"error: {name} ")
        variable = variable_of(path, option)
        assert variable is not None
        with monkeypatch.context() as patched:
            patched.setenv(variable, value)
            assert mistake(*path, *NEEDED.get(path, [])).startswith(f"error: {variable} ")
        told += 1
    assert told > 12


@pytest.mark.parametrize("wrong", ["nonsense", "mg:regoin=us-central1", "=", "a=b"])
def test_a_setting_that_is_none_is_refused_by_every_command(mistake: Mistake, wrong: str) -> None:
    for path, _, name in OPTIONS:
        if name != "--config" or path == ("init",):
            continue
        said = mistake(*path, *NEEDED.get(path, []), "--config", wrong)
        assert said.startswith("error: --config "), (path, said)
        if wrong.startswith("mg:"):
            assert "do: did you mean mg:region?\n" in said


def project(folder: Path, config: str = "", program: str = "") -> Path:
    (folder / "Pulumi.yaml").write_text(project_file("shop"))
    (folder / "Pulumi.dev.yaml").write_text(config or "config: {}\n")
    (folder / "__main__.py").write_text(program)
    return folder


# A command, with {} where a file is named that cannot be what it should be.
FILES = {
    "seed of a stack": ["rehearse", "up", "--seed", "{}"],
    "seed of an emulator": ["emulator", "--port", "0", "--seed", "{}"],
    "seed for an emulator": ["emulator", "seed", "{}"],
    "state": ["rehearse", "preview", "--state", "{}"],
    "import file": ["rehearse", "import", "--file", "{}"],
    "prices": ["prices", "--prices", "{}"],
    "prices of a review": ["review", "preview.json", "--prices", "{}"],
    "gates": ["review", "preview.json", "--gates", "{}"],
    "preview": ["review", "{}"],
    "config file": ["regions", "--config-file", "{}"],
    "state of an import": ["import", "--all", "--project", "p", "--region", "us-central1", "--state", "{}"],
    "statement": ["batch", "prepare", "@{}", "bq://a.b.c", "--project", "my-project"],
}
BAD = {
    "missing": None,
    "a folder": ...,
    "not UTF-8": b"a: \xff\xfe\x00",
    "broken": b"{[: \x00",
    "of another kind": b"- 5\n- x\n",
}
# A state that is not there is an empty one, and any text may be a statement.
NO_MISTAKE = {("state", "missing"), ("statement", "broken"), ("statement", "of another kind")}


@pytest.mark.parametrize(
    ("kind", "bad"), [(kind, bad) for kind in FILES for bad in BAD if (kind, bad) not in NO_MISTAKE]
)
def test_a_file_that_cannot_be_used_is_named(mistake: Mistake, tmp_path: Path, kind: str, bad: str) -> None:
    project(tmp_path)
    file, content = Path("odd.file"), BAD[bad]
    if content is ...:
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    code = PREVIEW_FAILED if kind == "preview" and isinstance(content, bytes) else USAGE
    said = mistake(*(part.replace("{}", str(file)) for part in FILES[kind]), code=code)
    assert "odd.file" in said


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("config: [", "Pulumi.dev.yaml is not YAML"),
        ("config: [a]", "Pulumi.dev.yaml: config is"),
        ("config: {mg:project: {secure: v1}}", "is encrypted"),
        ("config: {mg:project: p}", ""),
        ("config: {mg:emulator: https://example.com}", "mg:emulator is https://example.com"),
        ("config: {mg:emulator: 'http://127.0.0.1:9'}", "no emulator answers at http://127.0.0.1:9 (mg:emulator)"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_by_every_rehearsal(
    mistake: Mistake, tmp_path: Path, config: str, told: str
) -> None:
    project(tmp_path, config)
    for operation in ("up", "refresh", "destroy") if told else ():
        assert told in mistake("rehearse", operation)
    if told and "answers" not in told:
        assert told in mistake("rehearse", "preview")
        assert told in mistake("rehearse", "import")


def test_names_that_are_not_there_are_mistakes(mistake: Mistake, tmp_path: Path) -> None:
    assert "Pulumi.yaml does not exist" in mistake("rehearse", "up", "nosuch")
    project(tmp_path)
    for command in (["rehearse", "up"], ["regions"]):
        assert "devv.yaml does not exist\ndo: did you mean --stack dev?" in mistake(*command, "--stack", "devv")
    assert "no model is called 'zzz'" in mistake("models", "show", "zzz")
    assert "nowhere is not a region" in mistake("preflight", "gs://a/b", "--region", "nowhere")
    assert "has no key wieghts\ndo: did you mean weights?" in mistake("init", "new", "--config", "wieghts=gs://a/b")
    assert "--config 'x' is not key=value" in mistake("init", "new", "--config", "x")
    assert "already has Pulumi.yaml" in mistake("init", ".")
    (tmp_path / "shop").mkdir()
    project(tmp_path / "shop")
    assert "as in `mg init shop-2`" in mistake("init", "shop")
    assert "region" in mistake("query", "chat", "Why", "--project", "p")
    assert "project" in mistake("import", "chat", "--region", "us-central1")
    assert "is not a gate" in mistake("review", "p.json", "--fail-on", "nosuch")
    assert "no preview is given" in mistake("review")
    assert "needs SHELL\ndo: give one of bash, zsh, fish\n" in mistake("completion")
    assert "do: did you mean" in mistake("help", "rehearze")


def test_a_target_that_is_not_there_is_a_mistake(mistake: Mistake, tmp_path: Path) -> None:
    project(tmp_path, "config: {mg:project: p}\n")
    for operation in ("preview", "up", "refresh", "destroy"):
        assert "target 'nosuch' is not in the stack" in mistake("rehearse", operation, "--target", "nosuch")


def test_a_review_passes_on_what_the_engine_refuses(mistake: Mistake, tmp_path: Path) -> None:
    project(tmp_path)
    said = mistake("review", "--stack", "devv", "--engine", "rehearsal")
    assert said.startswith("error: stack devv has no config: ")
    assert said.endswith(" does not exist\ndo: did you mean --stack dev?\n")


def test_an_empty_path_is_not_this_folder(mistake: Mistake) -> None:
    paths = [(path, one) for path, command in ALL for one in command.params if one.type_descriptor.annotation is Path]
    for path, parameter in paths:
        is_option = parameter.param_type_name == "option"
        given = [*NEEDED.get(path, []), max(parameter.opts, key=len), ""] if is_option else [""]
        assert "is an empty path\n" in mistake(*path, *given)
    assert len(paths) > 20


def test_what_another_process_has_is_a_mistake(mistake: Mistake, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is taken" in mistake("emulator", "--port", port)


def test_an_empty_preview_is_no_mistake(mistake: Mistake, tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text('{"steps": []}')
    assert run_app(app, ["review", "preview.json"], str) == FINE


def test_an_import_reads_the_config_of_the_stack(mistake: Mistake, tmp_path: Path) -> None:
    project(tmp_path, "config: {mg:project: my-project, mg:region: nowhere}\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {mg:project: my-project, mg:regoin: us-central1}\n")
    for arguments in (["--all"], ["chat"]):
        assert "nowhere" in mistake("import", *arguments)
    assert "config key mg:regoin of stack prod does not exist" in mistake("import", "--all", "--stack", "prod")
    assert "region" in mistake("import", "--all", "--config", "mg:region=elsewhere")


def test_a_key_that_a_program_needs_is_answered_with_the_one_that_the_stack_misspells(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = "import pulumi\npulumi.Config().require('weights')\n"
    project(tmp_path, "", needs)
    assert run_app(app, ["rehearse", "preview"], str) == FAILED
    assert "do: write the line `shop:weights: VALUE` below `config:` in Pulumi.dev.yaml, or" in capsys.readouterr().out
    project(tmp_path, "config: {shop:wieghts: gs://a/b}\n", needs)
    assert run_app(app, ["rehearse", "preview"], str) == FAILED
    said = " ".join(capsys.readouterr().out.split())
    assert "error: the config key shop:weights has no value do: did you mean shop:weights?" in said
    assert "shop:wieghts: rename it there" in said
