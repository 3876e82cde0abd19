"""Weights & Biases."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Gt
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities import rank_zero_only

from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import say
from animeid.system.files import atomic
from animeid.tracking.epochs import counted_from_one
from animeid.tracking.results import Results
from animeid.tracking.server import Mode, choose_mode
from animeid.tracking.session import is_first_process
from animeid.tracking.wandb_media import charts, pictures, tables

if TYPE_CHECKING:
    import wandb

STEP = "trainer/global_step"


class WeightsAndBiases(WandbLogger):
    """Logs a training run to W&B, or to files that `wandb sync` sends later.

    The W&B run is called like the run's folder, has the final plan and the environment as its configuration, and keeps
    its id in the folder: a run that goes on in its folder goes on in W&B.

    Args:
        save_dir: the run's folder.
        mode: `auto` is online with a key and a server that answers, else offline, and says so.
        project: where the run is kept.
        entity: whose project it is, a user or a team; by default the one of the key.
        group: by default the folder of the multirun, or the `run_id`.
        job_type: what kind of run W&B lists it as.
        tags: words to find it by.
        artifacts: whether the best checkpoint and the manifest are kept as artifacts.
        start_timeout_s: seconds for the server to accept the run.
        finish_timeout_s: seconds for the last uploads; what is not sent by then stays in the folder for `wandb sync`.

    Raises:
        InputError: `mode` is online, and there is no key or no answer.
    """

    def __init__(
        self,
        save_dir: Path,
        *,
        mode: Mode = "auto",
        project: str = "animeid",
        entity: str | None = None,
        group: str | None = None,
        job_type: str = "train",
        tags: Sequence[str] = (),
        artifacts: bool = True,
        start_timeout_s: Annotated[float, Gt(0)] = 30.0,
        finish_timeout_s: Annotated[float, Gt(0)] = 600.0,
    ) -> None:
        super().__init__(save_dir=save_dir, project=project)
        self.folder = RunFolder(Path(save_dir))
        self.is_auto = mode == "auto"
        self.mode = choose_mode(mode) if is_first_process() else "disabled"
        self.entity, self.group, self.job_type, self.tags = entity, group, job_type, tuple(tags)
        self.artifacts = artifacts
        self.start_timeout_s, self.finish_timeout_s = start_timeout_s, finish_timeout_s

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        if self._experiment is None:
            self._experiment = self._open()
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        super().log_metrics(counted_from_one(metrics), step)

    def start(self) -> None:
        """Opens the W&B run."""
        _ = self.experiment

    def _open(self) -> wandb.Run:
        import wandb

        try:
            run = self._init(self.mode)
        except wandb.Error as error:
            if self.mode != "online":
                raise
            if not self.is_auto:
                raise InputError(f"W&B does not accept the run ({error}): take logger.mode=offline") from error
            say(f"W&B does not accept the run ({error}); it is logged offline, for wandb sync to send it later")
            self.mode = "offline"
            run = self._init(self.mode)
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        return run

    def _init(self, mode: str) -> wandb.Run:
        import wandb

        saved = SavedRun(self.folder)
        run = wandb.init(
            project=self._project,
            entity=self.entity,
            name=self.folder.name,
            group=self.group or default_group(saved.plan["run_id"]),
            job_type=self.job_type,
            tags=self.tags,
            config={**saved.plan, "environment": saved.environment},
            dir=self._save_dir,
            id=self._stored_id() or secrets.token_hex(4),
            # Offline there is nothing to ask: both parts carry the id, and the server joins them.
            resume="allow" if mode == "online" else None,
            mode=mode,  # type: ignore[arg-type]
            # Never another job's run, even if one is open in this process.
            reinit="create_new",
            settings=wandb.Settings(
                init_timeout=self.start_timeout_s,
                finish_timeout=self.finish_timeout_s,
                finish_timeout_raises=True,
                quiet=True,
            ),
        )
        if mode != "disabled":
            self._store_id(run.id)
        return run

    @property
    def _id_file(self) -> Path:
        return self.folder.path / "wandb" / "run_id.txt"

    def _stored_id(self) -> str | None:
        return self._id_file.read_text(encoding="utf-8") if self._id_file.is_file() else None

    def _store_id(self, run_id: str) -> None:
        """Keeps the id that W&B took: an agent of a sweep gives its own."""
        self._id_file.parent.mkdir(exist_ok=True)
        with atomic(self._id_file, "w") as stream:
            stream.write(run_id)

    def log_results(self, results: Results) -> None:
        """Tables, charts, pictures, the final figures and the artifacts.

        A server that is lost by now does not fail the run: what happened is said, and the folder has it all.
        """
        import wandb
        from wandb.sdk.lib.service.service_connection import WandbApiFailedError

        run = self.experiment
        run.summary.update(dict(results.figures))
        try:
            run.log({**tables(results), **charts(results), **pictures(results)})
            if self.artifacts:
                self._log_artifacts(run, results)
        except (wandb.Error, WandbApiFailedError) as error:
            say(f"W&B: not all results could be logged ({error}); the run's folder has them")

    def _log_artifacts(self, run: wandb.Run, results: Results) -> None:
        import wandb

        judged = {name: value for name, value in results.numbers.items() if name.startswith(("val/", "test/"))}
        model = wandb.Artifact(f"model-{run.id}", "model", metadata=judged)
        data = wandb.Artifact(f"manifest-{run.id}", "dataset")
        # "immutable" sends the file itself instead of a copy: a finished run's files do not change.
        for artifact, paths in ((model, (self.folder.best,)), (data, (self.folder.manifest, self.folder.labels))):
            for path in paths:
                artifact.add_file(os.fspath(path.resolve()), policy="immutable")
        run.log_artifact(model, aliases=["best"])
        run.log_artifact(data)

    def close(self, exit_code: int) -> None:
        """Finishes the W&B run, and says where it lies if it was not sent."""
        run = self._experiment
        if run is None:
            return
        option = "--include-online " if self.mode == "online" else ""
        send = f"wandb sync {option}{Path(run.dir).parent}"
        try:
            run.finish(exit_code=exit_code)
        except TimeoutError:
            say(f"W&B: not everything was sent within {self.finish_timeout_s:g} s; send the rest with: {send}")
        if self.mode == "offline":
            say(f"W&B: logged offline; send it with: {send}")


def default_group(run_id: str | None) -> str | None:
    """`sweep` for the job `sweep/0` of a multirun, else the `run_id`."""
    folder = PurePosixPath(run_id or "")
    return folder.parent.as_posix() if len(folder.parts) > 1 else run_id
