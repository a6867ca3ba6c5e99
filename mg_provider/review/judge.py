"""The review of previews: every finding, then the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from mg_provider.prices import HOURS_A_MONTH, Prices, Total, standard_prices
from mg_provider.resources.model.marks import marked
from mg_provider.resources.model.meaning import Exposure, Leads
from mg_provider.review.judging import (
    bills,
    contents,
    exposure,
    gone,
    nets,
    others,
    rest,
    runs,
    service,
    traffic,
    veiled,
)
from mg_provider.review.judging.drift import drift
from mg_provider.review.judging.findings import Finding, about, merged
from mg_provider.review.judging.places import places_of
from mg_provider.review.machines.costs import Bill, gpus_of, money_of
from mg_provider.review.machines.deployments import turns
from mg_provider.review.model import ExposureChange, Gpus, Money, Reason, Review, Run, Section, ServiceChange, Verdict
from mg_provider.review.picture.diffs import diffs
from mg_provider.review.picture.fleet import fleet
from mg_provider.review.reading.compare import Subject
from mg_provider.review.reading.kinds import KINDS, Kind
from mg_provider.review.reading.preview import Preview, Step, read_preview, with_distinct_names


def of(
    previews: str | Mapping[str, Any] | Preview | Sequence[str | Mapping[str, Any] | Preview],
    *,
    prices: Prices | None = None,
    buckets: Mapping[str, str] | None = None,
    kinds: Mapping[str, Kind] = KINDS,
) -> Review:
    """Review what `pulumi preview --json` wrote.

    Args:
        previews: The text, the object, or several of them, as of several stacks.
        prices: What machines cost; by default the table of this version.
        buckets: Where buckets are, as us-central1 or EU, by name; those of the previews are known.
        kinds: The resource types whose arguments have marks, by type token.

    Returns:
        The review; :class:`Review` says what it has.

    Raises:
        PreviewError: A text is not a preview, or a resource is in two of them.
    """
    given = [previews] if isinstance(previews, str | Mapping | Preview) else list(previews)
    return _Judge(
        with_distinct_names([_read(each) for each in given]), prices or standard_prices(), kinds, buckets or {}
    ).review()


def _read(given: str | Mapping[str, Any] | Preview) -> Preview:
    if isinstance(given, Preview):
        return given
    if isinstance(given, str):
        return read_preview(given)
    import json

    return read_preview(json.dumps(given))


class _Judge:
    """One review in the making."""

    def __init__(
        self, previews: list[Preview], prices: Prices, kinds: Mapping[str, Kind], buckets: Mapping[str, str]
    ) -> None:
        self._previews = previews
        self._prices = prices
        self._stacks = sorted({stack for preview in previews for stack in preview.stacks})
        steps = [step for preview in previews for step in preview.steps]
        self._steps = sorted(steps, key=lambda step: (step.stack, step.urn))
        self._types: dict[tuple[str, str], set[str]] = {}
        for step in (*self._steps, *(step for preview in previews for step in preview.drifted)):
            self._types.setdefault((step.stack, step.name), set()).add(step.type)
        self._subjects = [
            Subject(step, kinds[step.type], self._label(step)) for step in self._steps if step.type in kinds
        ]
        self._others = [step for step in self._steps if step.type not in kinds]
        seen = [step for preview in previews for step in preview.drifted]
        self._drifted = [Subject(step, kinds[step.type], self._label(step)) for step in seen if step.type in kinds]
        self._drifted_others = [step for step in seen if step.type not in kinds]
        self._turns = {id(subject): list(turns(subject)) for subject in self._subjects}
        self._sources = contents.Sources(
            {name: each for each in self._subjects for name in gone.own_names(each, each.old)},
            {name: each for each in self._subjects for name in gone.own_names(each, each.new)},
            places_of(self._others, buckets),
        )

    def _label(self, step: Step) -> str:
        """A name that no other resource in the review has."""
        kind = step.type.rpartition(":")[2].rpartition("/")[2]
        label = f"{step.name} ({kind})" if len(self._types.get((step.stack, step.name), ())) > 1 else step.name
        return f"{step.stack}/{label}" if len(self._stacks) > 1 else label

    def review(self) -> Review:
        """All of it."""
        money, gpus, started = self._bill()
        findings = [*self._errors(), *self._found(), *self._runs(started), *self._of_money()]
        findings += [finding for step in self._others for finding in others.other(step, self._label(step))]
        findings += [finding for step in self._steps for finding in others.odd(step, self._label(step))]
        findings += [finding for step in self._steps for finding in nets.protection(step, self._label(step))]
        findings += [finding for subject in self._drifted for finding in drift(subject, self._wanted(subject))]
        findings += [finding for step in self._drifted_others for finding in others.drifted(step, self._label(step))]
        reasons_found = merged(findings)
        reasons = [reason for reason in reasons_found if reason.severity != "note"]
        verdict = _verdict(reasons)
        effect, minutes = service.effect_of(reasons_found)
        return Review(
            verdict=verdict,
            reasons=reasons,
            money=money,
            gpus=gpus,
            exposure=self._exposure(reasons_found),
            service=ServiceChange(effect=effect, minutes=minutes, changes=_in(reasons_found, "service")),
            headline=self._headline(verdict, reasons, reasons_found, money, gpus),
            stacks=self._stacks,
            counts=self._counts(),
            gone=_in(reasons_found, "gone"),
            safety_nets=_in(reasons_found, "safety nets"),
            models=_in(reasons_found, "models"),
            traffic=_in(reasons_found, "traffic"),
            runs=[run for _, run in started],
            unknown=_in(reasons_found, "unknown"),
            drift=_in(reasons_found, "drift"),
            others=_in(reasons_found, "others"),
            notes=[reason for reason in reasons_found if reason.section == "changes"],
            errors=sorted({error for preview in self._previews for error in preview.errors}),
            fleet=fleet(self._subjects, self._turns),
            diffs=diffs(self._subjects, self._drifted, ((step, self._label(step)) for step in self._others)),
        )

    def _bill(self) -> tuple[Money, Gpus, list[tuple[Subject, Run]]]:
        serving = [turn for subject in self._subjects if not subject.kind.runs for turn in self._turns[id(subject)]]
        begun = [
            turn
            for subject in self._subjects
            if runs.starts(subject)
            for turn in self._turns[id(subject)]
            if turn.after
        ]
        whole = all(preview.whole for preview in self._previews)
        bill = Bill(self._prices)
        money = money_of(serving, begun, self._prices, whole=whole)
        started = [(turn.subject, runs.run_of(turn, bill, self._sources.places)) for turn in begun]
        return money, gpus_of(serving, begun), started

    def _errors(self) -> Iterator[Finding]:
        for preview in self._previews:
            for error in preview.errors:
                yield Finding("preview-error", "stop", "errors", ", ".join(preview.stacks) or "the preview", error)

    def _found(self) -> Iterator[Finding]:
        pairs = self._renames
        paired = {id(subject) for pair in pairs for subject in pair}
        alike = {id(new) for old, new in pairs if exposure.is_public(old, old.old) == exposure.is_public(new, new.new)}
        for old, new in pairs:
            yield from gone.renamed(old, new)
        for subject in self._subjects:
            if subject.op == "same":
                continue
            if id(subject) not in paired:
                if subject.goes:
                    yield from gone.deletions(subject, self._beside(subject))
                elif subject.is_replaced:
                    yield from gone.replacements(subject)
                else:
                    yield from gone.readdressed(subject)
                yield from rest.rest(subject)
            if id(subject) not in alike:
                yield from exposure.exposures(subject, self._sources.places)
            turns_of = self._turns[id(subject)]
            yield from service.service(subject, turns_of, self._saved(subject), self._beside(subject))
            yield from nets.nets(subject)
            yield from veiled.veiled(subject)
            yield from contents.contents(subject, self._sources)
            yield from traffic.traffic(subject)
        yield from self._left_over()

    @cached_property
    def _renames(self) -> list[tuple[Subject, Subject]]:
        """What is deleted with what is made in its place under another name."""
        return gone.renames(self._subjects)

    def _wanted(self, drifted: Subject) -> Mapping[str, Any]:
        """What the program says of a resource that was changed in the cloud."""
        return next((each.new for each in self._subjects if each.step.urn == drifted.step.urn), {})

    def _saved(self, subject: Subject) -> str:
        """What the machines of a resource cost before, a month."""
        bill, low, high = Bill(self._prices), Total(), Total()
        for turn in self._turns[id(subject)]:
            fewest, most = bill.of(turn.before, turn.subject.region)
            low.add(fewest)
            high.add(most)
        texts = [total.amount.text(HOURS_A_MONTH) for total in (low, high)]
        return f"{' to '.join(dict.fromkeys(texts))} a month"

    @cached_property
    def _serving(self) -> dict[str, list[str]]:
        """The named deployments that serve afterwards, by the Model that answers."""
        found: dict[str, list[str]] = {}
        for subject in self._subjects:
            for turn in self._turns[id(subject)]:
                if turn.after is not None and turn.after.most:
                    for model in sorted(contents.answering(subject, turn.name)):
                        found.setdefault(model, []).append(f"{turn.label} ({turn.after.text()})")
        return found

    def _beside(self, subject: Subject) -> str:
        """What else serves a resource's Model, and goes on doing so."""
        serving = [
            label
            for name in sorted(gone.own_names(subject, subject.new or subject.old))
            for label in self._serving.get(name, ())
        ]
        if serving:
            return f"goes on serving its Model, and being paid: {', '.join(serving)}"
        if all(preview.whole for preview in self._previews):
            return "nothing else in the stack serves its Model"
        return "unchanged resources are not shown: one that deploys the same Model goes on serving, and being paid"

    def _left_over(self) -> Iterator[Finding]:
        """Rules that lead to an endpoint which goes, or turns public."""
        public: set[str] = set()
        deleted: set[str] = set()
        for subject in self._subjects:
            if not subject.goes and exposure.is_public(subject, subject.new):
                public |= gone.own_names(subject, subject.new)
            if (subject.goes or subject.is_replaced) and not subject.kind.runs:
                deleted |= gone.own_names(subject, subject.old) - gone.own_names(subject, subject.new)
        known = {value for subject in self._subjects for value in gone.called(subject)}
        for subject in self._subjects:
            yield from exposure.led(subject, known, self._sources.places)
            for field, _ in marked(subject.kind.args, Leads):
                target = subject.new.get(field)
                if isinstance(target, str) and target and target in public:
                    text = "leads to an endpoint that is public: it reaches nothing. Remove it"
                    yield about(subject, "exposure", "look", "exposure", text)
                elif isinstance(target, str) and target and target in deleted:
                    text = "leads to an endpoint that is deleted: it reaches nothing. Remove it"
                    yield about(subject, "downtime", "stop", "service", text)

    def _runs(self, started: list[tuple[Subject, Run]]) -> Iterator[Finding]:
        for subject, run in started:
            yield from runs.findings(subject, run)

    def _of_money(self) -> Iterator[Finding]:
        serving = [turn for each in self._subjects if not each.kind.runs for turn in self._turns[id(each)]]
        begun = [turn for each in self._subjects if runs.starts(each) for turn in self._turns[id(each)]]
        pairs = [(self._turns[id(old)], self._turns[id(new)]) for old, new in self._renames]
        renamed = {id(turn) for old, new in pairs for turn in new if any(map(turn.takes_over, old))}
        yield from bills.bills(serving, begun, self._prices, renamed)

    def _exposure(self, found: list[Reason]) -> ExposureChange:
        widened = any(
            exposure.widens(change, mark)
            for subject in self._subjects
            for change, mark in subject.changed(Exposure)
            if not (mark.open and exposure.is_public(subject, subject.old))
        )
        changed = [subject for subject in self._subjects if subject.op != "same" and not subject.goes]
        public = sorted(subject.label for subject in changed if exposure.is_public(subject, subject.new))
        made = any(
            subject.is_new or exposure.is_public(subject, subject.old) is False
            for subject in changed
            if exposure.is_public(subject, subject.new)
        )
        return ExposureChange(widened=widened or made, public=public, changes=_in(found, "exposure"))

    def _counts(self) -> dict[str, int]:
        counted = Counter(step.op for step in self._steps if step.op != "same")
        same = sum(preview.unchanged for preview in self._previews)
        return {**dict(sorted(counted.items())), **({"same": same} if same else {})}

    def _comes_back(self, money: Money, gpus: Gpus) -> str:
        """What is lost, left, and no longer paid where everything goes."""
        stay = sum(subject.step.old is not None and subject.step.old.retain for subject in self._subjects)
        lost = sum(subject.kind.is_held for subject in self._subjects) - stay
        left = f", {stay} left in the cloud" if stay else ""
        saved = money.difference.max
        known = money.before.max.text if not stay else saved.text.removeprefix("-") if saved.usd is not None else ""
        back = " and ".join(filter(None, (f"{gpus.before[1] - gpus.after[1]} GPUs", known and f"{known} a month")))
        return f"{lost} with an address that is lost{left}; {back} come back"

    def _headline(self, verdict: Verdict, reasons: list[Reason], found: list[Reason], money: Money, gpus: Gpus) -> str:
        changing = [step for step in self._steps if step.op != "same"]
        all_go = len(changing) > 2 and all(step.op == "delete" for step in changing)
        if all_go and verdict == "stop" and not sum(preview.unchanged for preview in self._previews):
            return f"stop: everything is deleted: {len(changing)} resources, {self._comes_back(money, gpus)}"
        if reasons:
            return f"{verdict}: {sentence(reasons[0])}"
        same = sum(preview.unchanged for preview in self._previews)
        unchanged = f" ({same} unchanged)" if same else ""
        if not any(step.op != "same" for step in self._steps) and not found:
            return f"safe: nothing changes{unchanged}"
        what = "; ".join(sentence(reason) for reason in found[:2]) or "nothing that matters changes"
        more = f"; and {len(found) - 2} more" if len(found) > 2 else ""
        return f"safe: {what}{more}"


def sentence(reason: Reason) -> str:
    """A reason with its resources, of many the first ones."""
    names = reason.resources[:3] or [reason.resource]
    more = f" and {len(reason.resources) - 3} more" if len(reason.resources) > 3 else ""
    return f"{', '.join(names)}{more}: {reason.text}"


def _in(found: Iterable[Reason], section: Section) -> list[Reason]:
    return [reason for reason in found if reason.section == section]


def _verdict(reasons: list[Reason]) -> Verdict:
    if not reasons:
        return "safe"
    return "stop" if any(reason.severity == "stop" for reason in reasons) else "look"
