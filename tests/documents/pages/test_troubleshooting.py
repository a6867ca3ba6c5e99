"""The page of errors has every error of the product, and what is said of Google's messages is what the product says."""

import ast
import inspect
import sys

from mg_provider.api.errors import AgentsNotReady, OutOfCapacity, PolicyViolated, QuotaExceeded, UserError
from mg_provider.api.policies import hint_for_constraint
from mg_provider.api.reading.hints import _RULES, Symptoms, _consumer
from mg_provider.rehearsal.errors import ProtectedError, RehearsalError, StepError
from mg_provider.rollout.rollout import RolledBack
from mg_provider.wire.status import Code
from tests.documents.markdown import part, read
from tools.pages import troubleshooting
from tools.pages.troubleshooting import MESSAGES, _constraints, area, divided, error_of, kinds, raised, texts

PAGE = "docs/troubleshooting.md"


def test_every_kind_of_error_says_what_it_means():
    page = part(read(PAGE), "generated: errors")
    assert {AgentsNotReady, OutOfCapacity, PolicyViolated, QuotaExceeded} <= set(kinds())
    assert [kind.__name__ for kind in kinds() if f"| `{kind.__name__}` | " not in page] == []
    assert [kind.__name__ for kind in kinds() if not kind.__doc__] == []


def test_every_rule_about_a_message_of_googles_is_shown_by_one():
    symptoms = [Symptoms(error_of(*sample).status, sample[0].name, sample[1], []) for sample in MESSAGES]
    # Which project is wrong stands in the details of an error only, never in its text.
    assert [rule.__name__ for rule in _RULES if rule is not _consumer and not any(map(rule, symptoms))] == []


def test_each_message_of_googles_has_advice_and_its_own_kind():
    rows = part(read(PAGE), "generated: messages").splitlines()[2:]
    assert len(rows) == len(MESSAGES)
    assert [row for row in rows if row.endswith("|  |")] == []
    assert isinstance(error_of(Code.UNAVAILABLE, "Machine type temporarily unavailable."), OutOfCapacity)


def test_each_constraint_that_is_known_is_on_the_page_with_the_advice_that_an_error_gives():
    page = part(read(PAGE), "generated: constraints")
    for name, known in _constraints():
        assert f"| `constraints/{name}` |" in page
        assert known.allow in hint_for_constraint(name)


def test_a_text_that_is_raised_is_found_under_its_heading_with_what_to_do():
    found = {text.text: text for text in raised()}
    assert len(found) > 80
    wanted = "there are no credentials for Google Cloud (…)"
    assert found[wanted].advice == "run `gcloud auth application-default login`, or set GOOGLE_OAUTH_ACCESS_TOKEN"
    assert area(found[wanted].path) == "Connection, credentials and settings"
    _, _, section = texts().partition("### Connection, credentials and settings")
    assert wanted in section.partition("###")[0]


def test_every_text_of_an_error_has_advice():
    assert [f"{text.path}: {text.text}" for text in raised() if not text.advice] == []
    assert divided("is not a folder: write gs://a/b") == ("is not a folder", "write gs://a/b")
    assert divided("is not a folder: it has no slash") == ("is not a folder: it has no slash", "")


def test_every_error_that_is_raised_says_what_to_do():
    """A hint that is None says nothing; where the words are another's, they have it already."""
    classes = {kind for kind in (*kinds(), StepError, ProtectedError) if not has_own_advice(kind)}
    silent, met = [], set()
    for module in [module for name, module in sys.modules.items() if name.startswith("mg_provider.")]:
        if not any(value is kind for value in vars(module).values() for kind in classes):
            continue
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                kind = vars(module).get(node.func.id)
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                hint = given.get("hint", "None")
                if kind in classes and hint in ("None", "''") and ast.unparse(node.args[0]) not in OF_OTHERS:
                    silent.append(f"{module.__name__}:{node.lineno} {node.func.id}")
                met |= {kind} & classes
    assert {UserError, RehearsalError, RolledBack, StepError} <= met
    assert "\n".join(silent) == ""


def has_own_advice(kind):
    hint = inspect.signature(kind).parameters.get("hint")
    return bool(kind.__dict__.get("otherwise")) or hint is None or hint.default not in (None, "", hint.empty)


# What a provider said, in its own words.
OF_OTHERS = ("text", "'\\n'.join(failed.reasons) or text")


def test_a_text_is_read_as_it_is_written_in_the_source():
    call = ast.parse('UserError(f"{name} is wrong: " + "and long enough", property="a.b", hint=f"write {x}")').body[0]
    (text,) = troubleshooting._of_call("cli.py", "UserError", call.value, 0, {})
    assert (text.text, text.advice) == ("a.b: … is wrong: and long enough", "write …")
