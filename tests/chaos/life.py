"""The life of one stack in trouble, and what must hold in it after each command and at its end."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterable

from pulumi_adbpg_model.domain import Phase, phase_of
from pulumi_adbpg_model.service.state import UNSEEN, waits
from pulumi_adbpg_model.testing import SimulatedService
from tests.chaos.clarity import why_unclear
from tests.chaos.commands import Ran
from tests.chaos.hosting import TimedProvider
from tests.chaos.injection import Death, Moment
from tests.chaos.verdict import is_named
from tests.chaos.world import Kept, OnError, World
from tests.provider.dynamic_host import Properties

#: Client tokens of services that somebody else makes begin so.
FOREIGN = "somebody-else-"
#: Long enough for all that takes its time, short enough for what never ends.
PATIENT = {"create": "5m", "update": "5m", "delete": "5m"}
#: Printed by a create of which nobody knows whether it was applied.
AGAIN = "run `pulumi up` again, which finds a service that was created"
#: How often a command may fail in the end without saying anything new.
_TRIES = 3
#: And how often one may be run in the end at all, though each error said something to do.
_MOST_TURNS = 40
#: What a refused take-over tells of the declaration and of the service.
DIFFERENCE = re.compile(
    r"(model_name|description|security_ip_list|ai_nodes) (?:is|are) declared .+?, "
    r"the service (?:runs|has|admits|is on) ('[^']*'|\[[^]]*\])"
)
#: An unfinished deletion, a stale list, a remembered token: by then all of them are over.
_LATER_S = 130.0


class BrokenPromiseError(AssertionError):
    """`kind` is what was broken, a column of the table if it has one; `story` what led there."""

    def __init__(self, kind: str, text: str, story: Iterable[str]) -> None:
        self.kind = kind
        self.story = (*story, text)
        super().__init__("\n".join([f"{kind}:", *self.story]))


class Life:
    """What was declared, done and told so far; everything that is done is checked."""

    def __init__(self, dialects: list[str], delete_seconds: float) -> None:
        self.declared: Properties = {"timeouts": PATIENT}
        self.last: Ran | None = None
        self.failing = 0  # deployments that are still to fail
        self.story: list[str] = []
        #: Services of ours that the state lost, and that the command that lost them named.
        self._named: set[str] = set()
        self.keys: set[str] = set()
        #: The errors of the last command that the program's hook was told, besides the last one.
        self._hooked: list[str] = []
        #: Services that a killed command left behind.
        self._widowed: set[str] = set()
        #: Those of which the last `up` said that it is to be run again to find them.
        self._doubted: set[str] = set()
        self._wanted: list[bool] = [False]
        self._out = False
        #: Whether the cloud shows a service without a status at first.
        self._silent = "status-missing" in dialects
        self.world = World(dialects, delete_seconds=delete_seconds)
        self.world.on_retry = self._try_again
        self.world.__enter__()
        self.say(f"dialects {dialects}, deleting takes {delete_seconds} s")

    def close(self) -> None:
        """Leave no server behind."""
        TimedProvider.fate = None
        self.world.__exit__()

    def say(self, text: str) -> None:
        """Note what happens."""
        self.story.append(f"{self.world.clock.monotonic():7.1f} {text}")

    # Who is there

    @property
    def ours(self) -> list[SimulatedService]:
        """The services that our commands made and that are there."""
        return [
            service
            for service in self.world.simulator.services
            if not (service.client_token or "").startswith(FOREIGN)
        ]

    @property
    def foreign(self) -> list[SimulatedService]:
        """All the others."""
        ours = {service.id for service in self.ours}
        return [service for service in self.world.simulator.services if service.id not in ours]

    @property
    def lost(self) -> set[str]:
        """Services of ours that the state does not name."""
        return {id_of(service) for service in self.ours} - self.world.ids()

    # Commands

    def declare(self, inputs: Properties) -> None:
        """`pulumi up` of a changed program."""
        self.declared = inputs
        self._run(f"up of {inputs}", lambda: self.world.up(**inputs), is_up=True)

    def up(self) -> None:
        """`pulumi up` of the same program; what the last error said to take over is."""
        inputs = {**self.declared, **self._advised()}
        self._run(f"up again of {inputs}", lambda: self.world.up(**inputs), is_up=True)

    def refresh(self) -> None:
        """`pulumi refresh`."""
        self._run("refresh", self.world.refresh)

    def destroy(self) -> None:
        """`pulumi destroy`."""
        self._run("destroy", self.world.destroy)

    def mistake(self, inputs: Properties) -> None:
        """`pulumi up` of a program that is wrong: refused before anything is called, and named."""
        calls = len(self.world.simulator.requests)
        ran = self.world.up(**{**self.declared, **inputs})
        self._end_cancel()
        self.say(f"up of {inputs}: {list(ran.errors)}")
        if ran.well or not any(name in ran.told for name in inputs):
            self._fail("unclear", "that was not refused, or not by name")
        if len(self.world.simulator.requests) != calls:
            self._fail("unclear", "that was found only after calls")

    def hook(self, hook: OnError | None) -> None:
        """The program has another `on_error` hook from now on, or none any more."""
        self.say(f"{hook}")
        self.world.on_error = hook

    def die(self, command: Callable[[], None], at: int, moment: Moment) -> None:
        """The provider's process is killed at some call of the command, if it comes so far."""
        TimedProvider.fate = Death(at, moment, lambda: self.world.host.cut())  # noqa: PLW0108 - a later host
        try:
            command()
        finally:
            TimedProvider.fate = None

    def cancel_after(self, seconds: float) -> None:
        """Ctrl-C, once the next command has been waiting that long."""
        self._end_cancel()
        self.say(f"cancel after {seconds} s")
        wanted, clock = [True], self.world.clock
        self._wanted = wanted
        clock.after(seconds, lambda: clock.cancel.set() if wanted[0] else None)

    def be_out(self, seconds: float) -> None:
        """Nothing listens for a while."""
        if not self._out:
            self.say(f"outage of {seconds} s")
            self._out = True
            self.world.simulator.stop()
            self.world.clock.after(seconds, self._end_outage)

    def remove(self, services: Iterable[SimulatedService]) -> None:
        """Somebody deletes services."""
        for service in services:
            self.say(f"{service.id} is deleted outside")
            self.world.simulator.remove_service(service.id)

    # What has to hold

    def _run(self, what: str, command: Callable[[], Ran], *, is_up: bool = False) -> None:
        before, kept = self.world.ids(), self.world.kept
        self._hooked = []
        ran = command()
        self._end_cancel()
        death = TimedProvider.fate
        killed = isinstance(death, Death) and death.struck
        self.say(f"{what}{', killed' if killed else ''}: {ran.did} {list(ran.errors)}")
        self.last = None if killed else ran
        self.keys |= {one.api_key for one in self.world.simulator.services if one.api_key}
        if any(key in ran.told for key in self.keys):
            self._fail("unclear", "an API key is shown")
        if killed:
            self._widowed |= self.lost
        else:
            self._check_success(ran)
            self._check_failure(ran, kept)
            self._check_texts(ran)
            if is_up:
                self._check_active(ran)
        self._check_losses(ran, before, is_up=is_up)

    def _try_again(self, error: str) -> None:
        self.say(f"it is tried again: {error}")
        self._hooked.append(error)
        self._check_text(error)
        self._check_number()

    def _check_number(self) -> None:
        alive = [service for service in self.ours if service.status != "deleting"]
        if len(alive) > 1:
            self._fail("duplicates", f"{alive}")

    def _check_losses(self, ran: Ran, before: set[str], *, is_up: bool) -> None:
        self._check_number()
        if gone := (before - self.world.ids()) & self.world.in_cloud:
            self._fail("dropped", f"{gone} left the state, and is there")
        warned = "\n".join([*self._hooked, ran.warned])
        self._named |= {id_ for id_ in self.lost if is_named(id_, warned)}
        unsaid = self.lost - self._widowed - self._named
        if is_up:
            self._doubted = unsaid if AGAIN in warned else set()
        if unsaid - self._doubted:
            self._fail("orphans", f"nothing names {unsaid}")

    def _check_success(self, ran: Ran) -> None:
        after = self.world.ids()
        if ran.well and after and self.lost:
            self._fail("orphans", f"a success left {self.lost} behind")
        made = ran.well and ran.did in ("create", "replace", "update")
        if made and not after <= self.world.in_cloud:
            self._fail("dropped", f"{after} was to be there")

    def _check_active(self, ran: Ran) -> None:
        """After an `up` that went well, what is waited for is active; what is not, has shown."""
        if ran.well and self.world.kept is not None:
            outs = self.world.kept.stored.outs
            status = outs["status"]
            shown = status != UNSEEN or self._silent
            if phase_of(status) is not Phase.ACTIVE and (waits(outs) or not shown):
                self._fail("unclear", f"a success, though it is {status!r}")

    def _check_failure(self, ran: Ran, before: Kept | None) -> None:
        after = self.world.kept
        if not ran.well and after not in (None, before) and after.init_errors != ran.errors:
            self._fail("unclear", f"a failure changed the state, and does not say so: {after}")

    def _check_texts(self, ran: Ran) -> None:
        for error in ran.errors:
            self._check_text(error)

    def _check_text(self, error: str) -> None:
        broken = why_unclear(error, secrets=self.keys)
        if broken is not None:
            self._fail("unclear", f"{broken}: {error}")

    # The end

    def converge(self) -> None:
        """Mend the cloud; then the commands converge, if what they say is done."""
        self._mend()
        self.declared = {**self.declared, "timeouts": {"create": "30m"}}
        failures, turns = 0, itertools.count()
        while failures < _TRIES and next(turns) < _MOST_TURNS:
            self.up()
            if self.last is not None and self.last.well and not self._outdated():
                break
            failures += not self._heed(failures)
            self.world.later(_LATER_S)
        else:
            self._fail("unconverged", "up does not converge")
        ids = {id_of(service) for service in self.ours}
        if ids != self.world.ids() or len(ids) != 1:
            self._fail("unconverged", f"{ids} in the cloud, {self.world.ids()} in the state")
        for _ in range(_TRIES):
            self.destroy()
            if not self.world.ids() and not self.ours:
                return
            self.world.later(_LATER_S)
        self._fail("unconverged", "destroy does not converge")

    def _mend(self) -> None:
        self.say("all is well again")
        self._end_cancel()
        self._end_outage()
        self.world.simulator.clear_faults()
        self.world.simulator.release_deployments()
        self.world.later(_LATER_S)
        self.remove(self.foreign)

    def _outdated(self) -> bool:
        """Whether the state names what is not there any more, which a refresh sees."""
        if self.world.ids() <= self.world.in_cloud:
            return False
        self.refresh()
        return True

    def _heed(self, failures: int) -> bool:
        """Do what the last error says, if it is more than to run the command again."""
        text = "" if self.last is None else self.last.told
        if "The next `pulumi up` replaces it" in text and self.failing:
            self.failing -= 1
            return True
        if "`pulumi refresh`" in text:
            self.refresh()
            text = "" if self.last is None else self.last.told
        if "`pulumi state delete" in text and not self.world.ids() & self.world.in_cloud:
            self.say("the resource is dropped from the state by hand")
            self.world.forget()
            return True
        if "`pulumi destroy --target" in text and failures:
            self.destroy()
            if self.failing:  # in a word that the package does not take for a failure
                self.failing -= 1
                return True
        if "gives it up" in text and failures and self.failing:  # it was being taken over
            self.failing -= 1
            self.say("the resource is dropped from the state by hand, and its service deleted")
            self.world.forget()
            self.remove(self.ours)
            return True
        if "security_ip_group" in text and "security_ip_group" in self.declared:
            del self.declared["security_ip_group"]
            return True
        return self._declare_what_is_there(text) or bool(self._advised())

    def _declare_what_is_there(self, text: str) -> bool:
        """A take-over was refused: correct the declaration, or delete what has failed."""
        failed = re.search(r"import of \S+:(\S+) failed: its deployment failed", text)
        if failed is not None:
            self.remove([self.world.simulator.service(failed.group(1))])
            return True
        if not re.search(r"import of \S+ failed: the declaration differs", text):
            return False
        there = {name: ast.literal_eval(shown) for name, shown in DIFFERENCE.findall(text)}
        if "description is not as the service has it" in text:  # which `list` shows
            there["description"] = self._shown_description(text)
        self.say(f"the service has {there}")
        self.declared |= there
        return True

    def _shown_description(self, text: str) -> str | None:
        """What the cloud shows, in its own way of showing."""
        ((instance, id_),) = re.findall(r"import of (\S+):(\S+) failed", text)
        cloud = self.world.simulator._cloud
        shown = cloud.describe_model_service({"DBInstanceId": instance, "ModelServiceId": id_})
        description: str | None = shown.get("Description")
        return description

    def _advised(self) -> dict[str, str]:
        """The service of ours that the last error says how to take over."""
        found = re.search(r'import_="([^"]+)"', "" if self.last is None else self.last.told)
        return {"__adopt": found.group(1)} if found and found.group(1) in self.lost else {}

    def _end_cancel(self) -> None:
        self._wanted[0] = False
        self.world.clock.cancel.clear()

    def _end_outage(self) -> None:
        if self._out:
            self._out = False
            self.world.simulator.start()

    def _fail(self, kind: str, text: str) -> None:
        raise BrokenPromiseError(kind, text, self.story)


def id_of(service: SimulatedService) -> str:
    """Its id as Pulumi writes it."""
    return f"{service.instance_id}:{service.id}"
