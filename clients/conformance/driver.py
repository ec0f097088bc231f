"""Plays a scenario with one language's runner, and finds out what was wrong."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from clients.conformance.fault_proxy import Opening
from clients.conformance.faults import Faults
from clients.conformance.runner_process import NoAnswer, RunnerProcess
from clients.conformance.scenario import Scenario, differences, filled
from clients.conformance.service import ServiceUnderTest
from clients.conformance.shelf import ACCOUNT_SID, LISTED_CALL_SID, NAMES, OTHER_ACCOUNT_SID, READY, sid_of
from tests.support.callers import token_of


class Outcome(NamedTuple):
    """How it went: what was wrong, a line each, and what helps to find out why."""

    wrong: list[str]
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    openings: list[Opening]
    failures: list[str]


class Driver:
    """One service, whatever the language."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self._service = service
        #: What `$fresh` and `$arriving` stand for, in one scenario.
        self._made: dict[str, str] = {}

    def play(self, scenario: Scenario, runner: RunnerProcess) -> Outcome:
        """Plays it once. Whatever it has done to the service is undone."""
        self._made.clear()
        request = filled(scenario.request, self._lookup)
        options = {"target": self._service.proxy.target, "token": token_of("all"), **request.pop("options", {})}
        asked = {**request, "options": {key: value for key, value in options.items() if value is not None}}
        self._service.proxy.arm(Faults.of(filled(scenario.faults, self._lookup)))
        try:
            for what in scenario.before:
                self._service.act(what)
            answer = runner.ask(asked, scenario.within)
        except NoAnswer as none:
            return Outcome([str(none)], asked, {}, self._service.proxy.openings, self._service.proxy.failures)
        finally:
            openings, failures = self._service.proxy.openings, self._service.proxy.failures
            counts = {method: self._service.proxy.count(method) for method in scenario.calls}
            self._service.calm()
        wrong = differences(filled(scenario.expect, self._lookup), answer)
        wrong += self._wrong_openings(scenario, openings)
        wrong += [
            f"{method} was called {counts[method]} times, and should have been {expected}"
            for method, expected in scenario.calls.items()
            if counts[method] != expected
        ]
        left = self._service.wait_until_idle(scenario.idle_within)
        if any(left.values()):
            wrong.append(f"the service still has {left['streams']} streams and {left['watches']} watches open")
        return Outcome(wrong, asked, answer, openings, failures)

    def _wrong_openings(self, scenario: Scenario, found: list[Opening]) -> list[str]:
        if scenario.openings is None:
            return []
        if isinstance(scenario.openings, int):
            right = len(found) == scenario.openings
        else:
            expected = filled(list(scenario.openings), self._lookup)
            right = len(found) == len(expected) and all(
                all(wanted is None or wanted == value for wanted, value in zip(one, other, strict=True))
                for one, other in zip(expected, found, strict=True)
            )
        return [] if right else [f"{len(found)} streams were opened, and should have been {scenario.openings}"]

    def _lookup(self, placeholder: str) -> Any:
        what, _, rest = placeholder.partition(":")
        if what == "sid":
            return self._sid(rest)
        if what == "sha256":
            name, *place = rest.split(":")
            begin, end = (int(each) for each in place) if place else (0, READY[name])
            return hashlib.sha256(self._service.shelf.content(name)[begin:end]).hexdigest()
        if what == "etag":
            return self._service.shelf.etag(rest)
        if what == "token":
            return token_of(rest)
        ports = self._service.proxy.secured_ports
        known = {
            "account": ACCOUNT_SID,
            "other_account": OTHER_ACCOUNT_SID,
            "listed_call": LISTED_CALL_SID,
            # The newest first.
            "listed": [sid_of(name) for name in reversed(list(READY)) if name.startswith("listed")],
            "tls": f"127.0.0.1:{ports[0]}",
            "mtls": f"127.0.0.1:{ports[1]}",
            **self._service.files,
        }
        return known[what]

    def _sid(self, name: str) -> str:
        """Of `fresh` and `arriving` a new one in each scenario."""
        if name in {"fresh", "arriving"}:
            make = self._service.fresh_sid if name == "fresh" else self._service.arriving_sid
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]
        if name not in NAMES:
            raise ValueError(f"$sid: there is no recording called {name}")
        return sid_of(name)
