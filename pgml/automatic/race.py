"""The race of the candidates: what is fitted next, until the time is over, and who wins."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml.automatic import finals, tasks
from pgml.automatic.board import Board, Trial
from pgml.automatic.clock import Clock
from pgml.automatic.crew import Crew, Done
from pgml.automatic.finals import Verdict
from pgml.automatic.ground import Ground
from pgml.automatic.moves import Moves
from pgml.automatic.portfolio import Candidate
from pgml.errors import PgmlError, TrainingFailed
from pgml.metrics import better

OPENING = 0.5
"""The share of the time at which the portfolio ends at the latest."""
SEARCH = (0.6, 0.9)
"""Shares between which the search ends, so that there is time for the finals and the last fit."""
PROMOTED = 6
"""Trials of a sample of the rows that are tried on all."""
PATIENCE = 150
"""Trials of the search after which it is given up if none was better than all before."""
CHECKPOINT = 0.15
"""The share of the time left that a complete model may take before the end."""
MANY_CHECKPOINT = FIRST = 0.9
"""That share of many rows, and of the first candidate that succeeds."""
LEAST = 1.0
"""Seconds that a fold may take however short the time is: a process has to be forked first."""
SAFE_GRACE = 1.0
"""Seconds after the end in which the first model may still be completed."""
SAFE_LEAST = 4.0
"""Seconds it has at least once the rows are there: on a busy machine imports alone may take the time."""


@dataclass(frozen=True, eq=False)
class Job:
    """A fold of a trial, or a complete model of it; without a trial one of the safe candidate."""

    candidate: Candidate
    trial: Trial | None
    fold: int | None = None


@dataclass(frozen=True)
class Model:
    """A complete model.

    Attributes
    ----------
    candidate : Candidate
    trial : Trial or None
        None: nobody has compared it.
    report, data : dict, bytes
        As `pgml.training.fit` gives them.
    """

    candidate: Candidate
    trial: Trial | None
    report: Mapping[str, Any]
    data: bytes


class Race:
    """Runs candidates by workers.

    Parameters
    ----------
    ground : Ground
    crew : Crew
    queue : sequence of Candidate
        The portfolio.
    safe : Candidate or None
        What is fitted before all others, to have a model in hand.
    clock : Clock
    ensembles : sequence of str
        Those that may be made of others.

    Attributes
    ----------
    board : Board
    failures : Counter of str
        Why complete models failed.
    """

    def __init__(
        self,
        ground: Ground,
        crew: Crew,
        queue: Sequence[Candidate],
        safe: Candidate | None,
        clock: Clock,
        ensembles: Sequence[str],
    ) -> None:
        self._ground, self._crew, self._clock = ground, crew, clock
        self._queue, self._safe, self._ensembles = queue, safe, ensembles
        self.board = Board(ground.metric, range(ground.first))
        self._moves = Moves(self.board, ground.spec.task, ground.spec.seed)
        self._models: list[Model] = []
        self._late: set[str] = set()
        self._end_of_folds = clock.end
        self.failures: Counter[str] = Counter()

    def run(self) -> tuple[Model, Verdict | None]:
        """Return the model of the winner, or the best that is complete, and what the finals said.

        Raises
        ------
        TrainingFailed
            No model was completed in time, or every one failed.
        """
        if not self._ground.folds:
            return self._first_complete(), None
        self._drive(self._opening(), self._clock.at(OPENING))
        self._drive(self._search(), self._search_end())
        verdict = self._finals()
        return self._last(verdict), verdict

    def _opening(self) -> Iterator[Job]:
        """Give the safe model, the portfolio, a complete model of the first success, and of the best."""
        if self._safe is not None:
            yield Job(self._safe, None)
        sampled, begun = self._ground.sampled, False
        for candidate in self._queue:
            trial = None if candidate.algorithm in self._late else self.board.add(candidate, sampled)
            if trial is None:
                continue
            yield from self._folds(trial, self.board.first)
            # Of many rows the best may be too dear to be completed at all: then one that is not.
            ready = (
                None
                if begun
                else next((trial for trial in self.board.ranked() if self._affordable(trial, FIRST)), None)
            )
            if ready is not None:
                begun = True
                yield Job(ready.candidate, ready)
        if sampled is not None:
            yield from self._promoted()
        best = self.board.best()
        # Of many rows the fit on all of them is most of the work, and is begun early.
        if best is not None and self._affordable(best, CHECKPOINT if sampled is None else MANY_CHECKPOINT):
            yield Job(best.candidate, best)

    def _promoted(self) -> Iterator[Job]:
        """Give the best of a sample of the rows on all rows."""
        for trial in [each for each in self.board.ranked() if each.rows is not None][:PROMOTED]:
            longer = self._clock.fit_seconds(trial) * len(self.board.first)
            if longer < 0.5 * self._clock.left:
                new = self.board.add(trial.candidate, None)
                if new is not None:
                    yield from self._folds(new, self.board.first)

    def _search(self) -> Iterator[Job]:
        """Give moves from the best, until none has been better for long; those of a sample are promoted."""
        score, since = None, 0
        while since < PATIENCE:
            best = self.board.best()
            if best is not None and better(self._ground.metric, best.mean(self.board.first), score):
                score, since = best.mean(self.board.first), 0
            trial = self._moves.next(self._ground.sampled)
            if trial is None:
                return
            since += 1
            yield from self._folds(trial, self.board.first)
            self.board.forget()
            if self._ground.sampled is not None and since % 20 == 0:
                yield from self._promoted()

    def _folds(self, trial: Trial, folds: Sequence[int]) -> Iterator[Job]:
        for fold in folds:
            if not trial.error and trial.candidate.origin == "search" and self.board.hopeless(trial):
                trial.error = f"given up after {len(trial.scores)} of {len(self.board.first)} folds"
            if trial.error:
                return
            if fold not in trial.scores:
                yield Job(trial.candidate, trial, fold)

    def _finals(self) -> Verdict | None:
        """Measure the best again in folds dealt anew, and what can be made of them; return who won."""
        best = self.board.best()
        if best is None:
            # Too dear for the folds: whatever completes.
            self._drive(iter(()), self._clock.at(SEARCH[1]))
            return None
        reserve = min(self._clock.model_seconds(best), 0.6 * max(self._clock.left, 0.0))
        self._end_of_folds = self._clock.end - reserve
        entrants = finals.entrants(self._ground, self.board, self._clock, self._ensembles, self._end_of_folds)
        self._drive(self._measured(entrants), self._end_of_folds)
        return finals.verdict(self._ground, self.board, entrants)

    def _search_end(self) -> float:
        """Return when the search ends, by what the finals of those that lead now would take."""
        leading = self.board.ranked()[: finals.FINALISTS]
        if not leading:
            return self._clock.at(SEARCH[0])
        folds = sum(len(dealing) for dealing in finals.dealings(self._ground))
        fits = 2 * sum(trial.fold_seconds for trial in leading) * folds / max(self._crew.free, 1)
        fit = self._clock.end - self._clock.model_seconds(leading[0])
        return min(max(fit - fits, self._clock.at(SEARCH[0])), self._clock.at(SEARCH[1]), fit)

    def _measured(self, entrants: Sequence[Trial]) -> Iterator[Job]:
        # Mostly it is the winner, whose model is then there before the time gets short.
        if entrants and self._affordable(entrants[0], 2 * CHECKPOINT):
            yield Job(entrants[0].candidate, entrants[0])
        for dealing in finals.dealings(self._ground):
            for trial in entrants:
                yield from self._folds(trial, dealing)

    def _last(self, verdict: Verdict | None) -> Model:
        """Return the winner's model, or that of the next best whose fit succeeds; else what is complete."""
        order = list(verdict.order if verdict is not None else self.board.ranked())
        while order and self._clock.left > 0:
            if (held := self._held(order[0])) is not None:
                return held
            # A model is in hand: the winner is tried however long it may take, and beside it what is sure.
            self._keep_only(order[0])
            sure = [trial for trial in order[1:] if self._clock.model_seconds(trial) < self._clock.left]
            for trial in (order[0], *sure[:1]):
                if self._crew.free and self._held(trial) is None and not self._fitted_now(trial):
                    threads = self._ground.spec.threads if trial is order[0] else 1
                    self._give(Job(trial.candidate, trial), self._clock.end, threads)
            while self._fitted_now(order[0]) and self._clock.left > 0:
                self._hear(self._clock.end)
            if (held := self._held(order[0])) is not None:
                return held
            order = order[1:]
        return self._in_hand(order)

    def _held(self, trial: Trial) -> Model | None:
        """Return the complete model of a trial."""
        return next((model for model in self._models if model.trial is trial), None)

    def _fitted_now(self, trial: Trial) -> bool:
        return any(job.trial is trial and job.fold is None for job in self._crew.busy)

    def _keep_only(self, trial: Trial) -> None:
        """End all that runs but the complete model of a trial."""
        for job in self._crew.busy:
            if job.trial is not trial or job.fold is not None:
                self._crew.stop(job)

    def _in_hand(self, order: Sequence[Trial]) -> Model:
        """Return the best complete model, waiting a little for the first, and for one that is not trivial."""
        until = max(self._clock.end + SAFE_GRACE, self._clock.start + SAFE_LEAST)
        if not self._models and not any(job.fold is None for job in self._crew.busy):
            self._crew.stop()
            self._await(self._safe or self._queue[0], until)
        while not self._models and self._crew.busy and time.monotonic() < until:
            self._hear(until)
        if not self.board.trials or not any(trial.scores for trial in self.board.trials):
            for candidate in self._queue[:1] if all(m.candidate is self._safe for m in self._models) else ():
                self._await(candidate, self._clock.start + SAFE_LEAST)
        if not self._models:
            raise self._failed()
        held = [model for trial in order if (model := self._held(trial)) is not None]
        return held[0] if held else max(self._models, key=self._worth)

    def _worth(self, model: Model) -> tuple[bool, bool, float, float]:
        """Return what complete models are ranked by, more being better."""
        if model.trial is None:
            return False, model.candidate is not self._safe, 0.0, 0.0
        return True, True, *self.board.worth(model.trial, self.board.first)

    def _await(self, candidate: Candidate, until: float) -> None:
        """Fit a candidate that nobody has compared, and wait for it."""
        if time.monotonic() < until and self._crew.free:
            self._give(Job(candidate, None), until)
            self._hear(until)

    def _first_complete(self) -> Model:
        """Return a complete model of the first candidate that has one, as too few rows compare none."""
        for candidate in [*self._queue, *([self._safe] if self._safe else [])]:
            self._await(candidate, max(self._clock.end, self._clock.start + SAFE_LEAST))
            if self._models:
                return self._models[0]
        raise self._failed()

    def _failed(self) -> PgmlError:
        trouble = self.failures or Counter(trial.error for trial in self.board.trials if trial.error)
        if trouble:
            return TrainingFailed(
                "no candidate could be trained",
                detail=f"Most often: {trouble.most_common(1)[0][0]}.",
                hint="Train one algorithm by its name to see more, or give a longer time_limit.",
            )
        return TrainingFailed(
            "no model was completed within time_limit",
            hint="Give a longer time_limit, or fewer rows.",
        )

    def _affordable(self, trial: Trial, share: float) -> bool:
        return all(model.trial is not trial for model in self._models) and (
            self._clock.model_seconds(trial) < share * self._clock.left
        )

    def _drive(self, jobs: Iterator[Job], until: float) -> None:
        """Give jobs as workers are free, until there are no more or the time has come; hear what ends."""
        pending = True
        while time.monotonic() < until:
            while pending and self._crew.free:
                job = next(jobs, None)
                pending = job is not None
                if job is not None:
                    self._give(job, self._due(job))
            if not self._crew.busy:
                return
            self._hear(until)

    def _due(self, job: Job) -> float:
        """Return when a job is ended: one candidate must not take the time of all others."""
        clock = self._clock
        if job.fold is None:
            return clock.end
        share = 0.3 if self._ground.first == 1 else 0.15
        return min(self._end_of_folds, time.monotonic() + max(LEAST, share * (clock.end - clock.start)))

    def _give(self, job: Job, due: float, threads: int = 1) -> None:
        request: dict[str, Any] = {
            "task": "fit" if job.fold is None else "fold",
            "algorithm": job.candidate.algorithm,
            "hyperparams": dict(job.candidate.hyperparams),
            "threads": threads,
        }
        if job.fold is not None and job.trial is not None:
            request |= {"fold": job.fold, "rows": job.trial.rows}
        self._crew.give(job, request, due)

    def _hear(self, until: float) -> None:
        for done in self._crew.wait(until):
            job: Job = done.key
            if job.fold is None:
                self._completed(job, done)
            elif job.trial is not None:
                self._scored(job.trial, job.fold, done)

    def _completed(self, job: Job, done: Done) -> None:
        if done.error is not None:
            self.failures[f"{job.candidate.algorithm}: {done.error}"] += 1
            return
        self._clock.completed(job.trial, done.seconds)
        self._models.append(Model(job.candidate, job.trial, done.value, done.blob))

    def _scored(self, trial: Trial, fold: int, done: Done) -> None:
        if done.late and time.monotonic() >= self._end_of_folds:
            return  # The time was over for all, which tells nothing of this one.
        trial.seconds[fold] = done.seconds
        if done.error is not None:
            trial.error = trial.error or done.error
            if done.late:
                self._late.add(trial.candidate.algorithm)
            for job in self._crew.busy:
                if job.trial is trial and job.fold is not None:
                    self._crew.stop(job)
            return
        found = tasks.outputs(done.value, done.blob)
        tested = tasks.scored_rows(self._ground, fold, trial.rows)
        trial.output = done.value["output"]
        try:
            trial.scores[fold] = self._ground.score(trial.output, found, tested)
        except PgmlError as error:
            trial.error = error.message
            return
        trial.ties[fold] = self._ground.tie(trial.output, found, tested)
        if fold in self.board.first:
            trial.outputs[fold] = found
