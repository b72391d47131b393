"""Workers on the nodes of a Ray cluster: one actor a slot, each with a supervisor of its own (`trainer.cluster`)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from evo.config.resolved import ResolvedConfig
from evo.config.workplaces import cluster_wanted
from evo.workers.evaluator import Slot
from trainer.cluster.connection import Cluster, Node, Wanted, connect, one_line
from trainer.cluster.parcels import Content
from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import WorkerSettings
from trainer.machine.devices import Device

_Result = TypeVar("_Result")

_LOOK_SECONDS = 2.0
_FIRST_SLOT_SECONDS = 30.0
"""So long a cluster may take to free what a driver that was killed has held."""
_OTHER_SLOTS_SECONDS = 5.0
_ENDING_SECONDS = 60.0  # longer than a supervisor hunts for the processes of its candidates
_HEAD_SECONDS = 20.0
_VERDICT_SECONDS = 10.0
"""Ray may find out that a node is lost so much later than that its workers are."""


@dataclass(eq=False, slots=True, kw_only=True)
class _RaySlot(Slot):
    """A slot of a node, with what works there now.

    Attributes:
        jobs: given to it so far; the number of the newest tells it from those before.
        worker: its actor; None where that was lost and no job has come since.
        running: the newest job.
        has_left: whether its node is lost, or it was retired.
    """

    node: Node
    worker: Any
    jobs: int = 0
    running: asyncio.Task[Evaluation] | None = None
    has_left: bool = False


@dataclass(eq=False, slots=True)
class _Hired:
    """An actor that Ray has not given a slot yet, or that has not said what its device is."""

    node: Node
    worker: Any
    answer: Any


class RayEvaluator:
    """One actor a slot on every node of a cluster, those that join later included (`evo.workers.ElasticEvaluator`).

    Args:
        cluster: that this process is connected to.
        wanted: what is asked of a node.
        settings: of every supervisor, with the paths of this machine; each slot fills in its device.
        contents: where this machine has the data that a node needs; a corpus or frozen files.

    Raises:
        ConfigError: no node is fit, or none has a slot to give.
    """

    def __init__(
        self, cluster: Cluster, wanted: Wanted, settings: WorkerSettings, contents: Mapping[Content, Path]
    ) -> None:
        self._cluster = cluster
        self._wanted = wanted
        self._settings = settings
        self._contents = contents
        self._corpus = next((one for one in contents if one.kind == "corpus"), None)
        self._slots: list[_RaySlot] = []
        self._hired: list[_Hired] = []
        self._numbers: Counter[str] = Counter()
        self._news: list[str] = []
        self._noticed = asyncio.Event()
        self._has_head = True
        self._look_under_way: asyncio.Future[None] | None = None
        self._closing = threading.Event()
        self._looking = threading.Lock()
        self._survey = cluster.survey(wanted)
        self._report_refused([*self._survey.refused])
        self._known = {one.id for one in (*self._survey.fit, *self._survey.refused)}
        self._hire(list(self._survey.fit))
        self._await_first_slots()

    @property
    def workers(self) -> Sequence[Slot]:
        """The slots of the nodes that are there now."""
        return tuple(slot for slot in self._slots if not slot.has_left)

    async def workers_changed(self) -> Sequence[str]:
        """Return once slots have joined or left, or a node was refused, with a line for each."""
        while not self._news:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._noticed.wait(), _LOOK_SECONDS)
            self._noticed.clear()
            try:
                nodes = await asyncio.wait_for(_in_thread(self._cluster.nodes), _HEAD_SECONDS)
            except (TimeoutError, MachineError) as error:
                self._has_head = False
                raise MachineError(
                    f"The Ray cluster {self._cluster} does not answer any more. What has finished is safe; "
                    "continue with `evo resume`, on another cluster with --workers."
                ) from error
            # Apart, since a node that joins may take long to get its data.
            if self._look_under_way is None or self._look_under_way.done():
                self._look_under_way = asyncio.ensure_future(_in_thread(self._look, nodes))
        news, self._news = self._news, []
        return news

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job in a slot; LOST when its node is lost."""
        assert isinstance(slot, _RaySlot)  # noqa: S101 - one of this evaluator's
        if self._closing.is_set():
            return self._lost(slot, job, "the workers are being ended")
        if slot.has_left:
            raise MachineError(f"{slot.name} has left the cluster.")
        slot.jobs += 1
        slot.running = asyncio.create_task(self._work(slot, job))
        try:
            return await asyncio.shield(slot.running)
        except asyncio.CancelledError:
            await self._end(slot)
            await asyncio.wait([slot.running])
            raise

    def retire(self, slot: Slot) -> None:
        """End the worker of a slot, in the background."""
        assert isinstance(slot, _RaySlot)  # noqa: S101 - as above
        slot.has_left = True
        if slot.worker is not None:
            threading.Thread(target=self._cluster.dismiss, args=(slot.worker,), daemon=True).start()

    async def close(self) -> None:
        """End every worker; evaluations under way, or begun later, come back as LOST."""
        self._closing.set()
        if self._has_head:
            await asyncio.gather(*(self._end(slot) for slot in self._slots if slot.worker is not None))
        running = [slot.running for slot in self._slots if slot.running is not None]
        for task in running:
            task.cancel()  # where no answer will come; Ray ends what runs for a driver or a head that is gone
        await asyncio.gather(*running, return_exceptions=True)
        if self._has_head:
            await _in_thread(self._dismiss_all)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(_in_thread(self._cluster.abandon), _HEAD_SECONDS)

    # One job

    async def _work(self, slot: _RaySlot, job: Job) -> Evaluation:
        try:
            return await self._evaluate(slot, job)
        except asyncio.CancelledError:  # by `close` alone
            return self._lost(slot, job, "the workers are being ended")

    async def _evaluate(self, slot: _RaySlot, job: Job) -> Evaluation:
        try:
            if slot.worker is None:
                slot.worker = await _in_thread(self._replaced, slot)
            answer = self._cluster.ask(slot.worker, "evaluate", slot.jobs, job.to_json())
            said = await asyncio.wait_for(asyncio.wrap_future(answer.future()), self._settings.longest_seconds(job))
        except TimeoutError:
            await self._give_up(slot)
            return self._lost(slot, job, f"{slot.name} did not answer in time")
        except self._cluster.failures as error:
            await self._give_up(slot)
            return self._lost(slot, job, await self._loss(slot, error))
        if "failed" in said:
            raise MachineError(f"{slot.name}: {said['failed']}")
        return Evaluation.from_json(said["evaluation"])

    async def _end(self, slot: _RaySlot) -> None:
        """End the newest job of a slot, and its worker where that does not do it."""
        worker, running = slot.worker, slot.running
        if worker is None:
            return
        try:
            ended = self._cluster.ask(worker, "end", slot.jobs)
            await asyncio.wait_for(asyncio.wrap_future(ended.future()), _ENDING_SECONDS)
            if running is not None:
                await asyncio.wait_for(asyncio.wait([running]), _ENDING_SECONDS)
        except self._cluster.failures:
            await self._give_up(slot)

    async def _give_up(self, slot: _RaySlot) -> None:
        worker, slot.worker = slot.worker, None
        if worker is not None:
            await _in_thread(self._cluster.dismiss, worker)

    async def _loss(self, slot: _RaySlot, error: BaseException) -> str:
        """Return why a job was lost, once it is known whether the node is lost or its worker alone."""
        deadline = time.monotonic() + _VERDICT_SECONDS
        while not self._closing.is_set() and time.monotonic() < deadline:
            try:
                alive = await asyncio.wait_for(_in_thread(self._cluster.nodes), _VERDICT_SECONDS)
            except (TimeoutError, MachineError):
                break
            if slot.node not in alive:
                slot.has_left = True
                self._noticed.set()
                return f"its node {slot.node} was lost"
            await asyncio.sleep(_LOOK_SECONDS / 4)
        return f"the worker of {slot.name} was lost ({one_line(error)})"

    def _replaced(self, slot: _RaySlot) -> Any:
        """Return a new worker for a slot; raise one of Ray's errors when there is none within a while."""
        worker = self._cluster.hire(slot.node, self._wanted, self._settings.to_json(), self._corpus)
        try:
            self._cluster.get(self._cluster.ask(worker, "device"), _FIRST_SLOT_SECONDS)
        except self._cluster.failures:
            self._cluster.dismiss(worker)
            raise
        return worker

    def _lost(self, slot: _RaySlot, job: Job, reason: str) -> Evaluation:
        settings = self._settings
        return Evaluation(Status.LOST, job.seed, slot.device.kind, settings.clock, "none", reason=reason)

    # Nodes

    def _look(self, nodes: Sequence[Node]) -> None:
        """Take in which nodes are there, and which actors have begun to work."""
        with self._looking:
            if self._closing.is_set():
                return
            ids = {one.id for one in nodes}
            self._miss(ids)
            new = [one for one in nodes if one.id not in self._known and self._wanted.slots(one)]
            for one in new:
                self._cluster.inspect(self._survey, one, self._wanted)
                self._known.add(one.id)
            self._report_refused(new)
            self._hire([one for one in new if one in self._survey.fit])
            self._take_in(0.0)

    def _miss(self, ids: set[str]) -> None:
        """Take in that nodes have left."""
        gone = [one for one in self._survey.fit if one.id not in ids]
        for slot in self._slots:
            if slot.node in gone:
                slot.has_left = True
        for one in gone:
            del self._survey.fit[one]
            self._news.append(f"Node {one} has left the cluster; its evaluations run elsewhere.")

    def _report_refused(self, nodes: Sequence[Node]) -> None:
        refused = self._survey.refused
        self._news += [f"Node {one} is not used: {refused[one]}" for one in nodes if one in refused]

    def _hire(self, nodes: Sequence[Node]) -> None:
        settings = self._settings.to_json()
        for node in nodes:
            if why := self._cluster.deliver(node, self._contents):
                self._survey.refused[node] = why
                del self._survey.fit[node]
                self._report_refused([node])
                continue
            for _ in range(self._wanted.slots(node)):
                worker = self._cluster.hire(node, self._wanted, settings, self._corpus)
                self._hired.append(_Hired(node, worker, self._cluster.ask(worker, "device")))

    def _take_in(self, seconds: float) -> None:
        """Make slots of the actors that work by now, after some waiting."""
        answered = self._cluster.answered([one.answer for one in self._hired], seconds)
        joined: dict[Node, list[str]] = {}
        for one in [one for one in self._hired if one.answer in answered]:
            self._hired.remove(one)
            try:
                device = Device(**self._cluster.get(one.answer))
            except self._cluster.failures as error:
                if one.node in self._survey.fit:
                    self._news.append(f"A worker did not start on node {one.node}: {one_line(error)}.")
                continue
            place = f"{device.kind}:{device.id}@{one.node.host}" if device.id else f"{device.kind}@{one.node.host}"
            name = f"{place}/{self._numbers[place]}"
            self._numbers[place] += 1
            self._slots.append(_RaySlot(name, device, node=one.node, worker=one.worker))
            joined.setdefault(one.node, []).append(name)
        self._news += [f"Node {node} takes part: {', '.join(names)}." for node, names in joined.items()]

    def _await_first_slots(self) -> None:
        """Wait for the slots that are there at the start; those that others hold join when they are free."""
        deadline = time.monotonic() + _FIRST_SLOT_SECONDS
        while self._hired and not self._slots and time.monotonic() < deadline:
            self._take_in(_LOOK_SECONDS / 4)
        self._take_in(_OTHER_SLOTS_SECONDS)
        if not self._slots:
            said = " ".join(self._news) or "See `ray status`."
            is_full = f"is full: none of its slots came free within {_FIRST_SLOT_SECONDS:g} s"
            why = is_full if self._hired else "gave no slot"
            self._dismiss_all()
            raise ConfigError(f"The Ray cluster {self._cluster} {why}. {said}")

    def _dismiss_all(self) -> None:
        with self._looking:  # what a look has hired meanwhile is known by then
            workers = [slot.worker for slot in self._slots if slot.worker is not None]
            for worker in [*workers, *(one.worker for one in self._hired)]:
                self._cluster.dismiss(worker)
            self._hired.clear()


def build(config: ResolvedConfig, settings: Sequence[WorkerSettings], contents: Mapping[Content, Path]) -> RayEvaluator:
    """Return the workers of a run on its cluster (`evo.workers.evaluator.Build`)."""
    assert config.workers.address is not None  # noqa: S101 - resolved
    return RayEvaluator(connect(config.workers.address), cluster_wanted(config), settings[0], contents)


async def _in_thread(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """Call what may block, in a thread that nothing waits for at the end: without its head, Ray may never return."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[_Result] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not result.done():
            set_it(value)

    def call() -> None:
        try:
            settled, value = result.set_result, function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
            settled, value = result.set_exception, error  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, settled, value)

    threading.Thread(target=call, daemon=True).start()
    return await result
