"""One training engine on DeepSpeed: ZeRO by YAML, schedule, metrics, atomic checkpoints, exact resume.

The only importer of deepspeed. A step's randomness is seeded by the step's number, so a resumed run repeats the
uninterrupted one. A checkpoint is written under a temporary name, sealed and renamed; it holds the metrics so far, to
which a resumed run returns. A damaged one is never loaded: the one before it, or the start, gives the same in the end.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emodistill import checkpoints, ranks
from emodistill.errors import BadInput, RunFailed, Stopped
from emodistill.files import sync_folder, sync_tree, write_text
from emodistill.models import require
from emodistill.seeds import seed_of
from emodistill.train.deepspeed_config import deepspeed_config

_KEEP = 2  # newest checkpoints

MakeOptimizer = Callable[..., torch.optim.Optimizer]
MicroLoss = tuple[Tensor, dict[str, float], bool]  # loss, metrics (with "loss"), whether it is the step's last


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to optimise."""

    steps: int
    learning_rate: float
    clip: float
    deepspeed: str  # name of a file in yaml/deepspeed/, or a path
    checkpoint_every: int
    seed: int
    bf16: bool = False  # computes in bfloat16
    warmup_fraction: float | None = None  # None: constant; else cosine to 0 after a linear warm-up
    checkpoint_minutes: float = 10.0
    casts_itself: bool = False  # its weights stay float32, and DeepSpeed leaves them so


class Engine:
    """A module under DeepSpeed, with checkpoints and metrics in `folder`."""

    def __init__(self, module: nn.Module, plan: Plan, folder: Path, optimizer: MakeOptimizer) -> None:
        require("deepspeed")
        import deepspeed

        self.plan, self._folder = plan, folder
        folder.mkdir(parents=True, exist_ok=True)
        # On a CPU DeepSpeed would compile a shared-memory reducer at first use: half a minute, and a C++ compiler on
        # every node. Gloo does the work.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        _join_ranks()
        parameters = [p for p in module.parameters() if p.requires_grad]
        self._made = optimizer(parameters, lr=plan.learning_rate)
        self._deepspeed, *_ = deepspeed.initialize(
            model=module,
            optimizer=self._made,
            lr_scheduler=lambda inner: torch.optim.lr_scheduler.LambdaLR(inner, self._rate),
            config=deepspeed_config(plan.deepspeed, plan.clip, plan.bf16 and not plan.casts_itself),
        )
        self.rank, self.world = torch.distributed.get_rank(), torch.distributed.get_world_size()
        if self.world == 1 and not self._deepspeed.zero_optimization():
            self._deepspeed.enable_backward_allreduce = False  # it would copy all gradients twice for nothing
        self.device = self._deepspeed.device
        self.step = 0
        # What a checkpoint's pieces depend on.
        self._layout = {"ranks": self.world, "deepspeed": plan.deepspeed, "bf16": plan.bf16}
        self._metrics: list[dict[str, float]] = []

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The module's forward pass."""
        found: Tensor = self._deepspeed(*inputs)
        return found

    def _rate(self, step: int) -> float:
        if self.plan.warmup_fraction is None:
            return 1.0
        warmup = max(1, round(self.plan.warmup_fraction * self.plan.steps))
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, self.plan.steps - warmup)))

    def train(
        self,
        losses: Callable[[int], Iterable[MicroLoss]],
        stop: Callable[[], bool],
        progress: Callable[[int, int], None],
        state: Callable[[], dict[str, Any]] = dict,
        load_state: Callable[[dict[str, Any]], None] = lambda state: None,
        after_step: Callable[[], None] = lambda: None,
        log_every: int = 1,
    ) -> None:
        """Run to `plan.steps`, from the last checkpoint if there is one.

        `losses(step)` yields one `MicroLoss` for each micro-batch; losses are summed, as are metrics, whose sums of a
        step are logged. A non-finite loss ends the run and leaves the last checkpoint. `state` goes into checkpoints.
        """
        self._restore(load_state)
        self._saved_at = time.monotonic()
        while self.step < self.plan.steps:
            if self._any_rank(stop()):
                self._save(state())
                raise Stopped(f"Stopped at step {self.step} of {self.plan.steps}; the checkpoint is in {self._folder}.")
            started = time.perf_counter()
            torch.manual_seed(seed_of(self.plan.seed, self.step, self.rank))
            total = self._optimise(losses(self.step))
            after_step()
            self.step += 1
            if self.step % log_every == 0 or self.step == self.plan.steps:
                self._log({"step": self.step, **total, "seconds": time.perf_counter() - started})
            if self._is_due():
                self._save(state())
            progress(self.step, self.plan.steps)

    def _is_due(self) -> bool:
        """Whether to save now: by steps, or by any rank's clock."""
        by_steps = self.step % self.plan.checkpoint_every == 0 or self.step == self.plan.steps
        late = time.monotonic() - self._saved_at >= 60 * self.plan.checkpoint_minutes
        return by_steps or self._any_rank(late)

    def check(self, stop: Callable[[], bool], save: Callable[[], None]) -> None:
        """`save` and raise `Stopped` on every rank if any was asked to stop; for work outside `train`."""
        if self._any_rank(stop()):
            save()
            raise Stopped(f"Stopped before the first step; what is worked out so far is kept in {self._folder}.")

    def meet(self) -> None:
        """Wait until every rank is here."""
        torch.distributed.barrier()

    def _any_rank(self, flag: bool) -> bool:
        """Whether the flag is up on any rank. All ranks must call it, or none: they decide together or hang."""
        if self.world == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
        return bool(shared.item())

    def _optimise(self, micro_batches: Iterable[MicroLoss]) -> dict[str, float]:
        """Forward and backward of one micro-batch before the next one's forward: ZeRO-3 counts on that order."""
        total: dict[str, float] = {}
        with memory_explained(
            f"at step {self.step + 1}; the last checkpoint is kept in {self._folder / 'checkpoints'}"
        ):
            for loss, metrics, last in micro_batches:
                for name, value in metrics.items():
                    total[name] = total.get(name, 0.0) + float(value)
                if self._any_rank(not math.isfinite(total["loss"])):
                    raise RunFailed(
                        f"The loss became {total['loss']} at step {self.step + 1}. The last good checkpoint is kept in "
                        f"{self._folder / 'checkpoints'}; lower the learning rate and run again with --fresh."
                    )
                self._deepspeed.set_gradient_accumulation_boundary(last)
                self._deepspeed.backward(loss * self.world)  # DeepSpeed averages over ranks; our losses are sums
                self._deepspeed.step()
        if self.world > 1:
            sums = torch.tensor(list(total.values()), dtype=torch.float64, device=self.device)
            torch.distributed.all_reduce(sums)
            total = dict(zip(total, sums.tolist(), strict=True))
        return total

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Whole trainable parameters on every rank, for saving: ZeRO-3 keeps them in pieces."""
        import deepspeed

        trainable = [parameter for parameter in self._deepspeed.module.parameters() if parameter.requires_grad]
        with deepspeed.zero.GatheredParameters(trainable):
            yield

    def _log(self, row: dict[str, float]) -> None:
        self._metrics.append(row)
        if self.rank == 0:
            with (self._folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    def _save(self, state: dict[str, Any]) -> None:
        folder = self._folder / "checkpoints"
        folder.mkdir(exist_ok=True)
        temporary, final = folder / f"tmp-{self.step:08d}", folder / f"step-{self.step:08d}"
        if self._any_rank(final.exists()):
            return
        if self.rank == 0:
            shutil.rmtree(temporary, ignore_errors=True)
        torch.distributed.barrier()
        self._deepspeed.save_checkpoint(
            str(temporary), tag="state", client_state={"step": self.step, "ours": state}, exclude_frozen_parameters=True
        )
        torch.distributed.barrier()
        if self.rank == 0:
            write_text(temporary / "metrics.jsonl", _lines(self._metrics))
            for path in (temporary, *temporary.rglob("*")):
                path.chmod(path.stat().st_mode & ~0o022)  # a umask may leave it open to a group: see check_owner
            checkpoints.seal(temporary, self._layout)
            sync_tree(temporary)
            os.replace(temporary, final)
            sync_folder(folder)
            for old in sorted(folder.glob("step-*"))[:-_KEEP]:
                checkpoints.remove(old)
        self._saved_at = time.monotonic()

    def _restore(self, load_state: Callable[[dict[str, Any]], None]) -> None:
        name = ranks.agreed(lambda: checkpoints.newest_whole(self._folder / "checkpoints"), (OSError,))
        if name is not None:
            newest = self._folder / "checkpoints" / name
            checkpoints.check_owner(newest)
            layout = checkpoints.layout(newest)
            if layout != self._layout:
                raise BadInput(
                    f"{newest} was written with {layout} and cannot go on with {self._layout}. Run with the same ranks "
                    "and ZeRO stage, on the same kind of machine or with the precision spelt out, or delete "
                    f"{newest.parent} to train from the start."
                )
            _, found = self._deepspeed.load_checkpoint(str(newest), tag="state", load_module_strict=False)
            self.step = found["step"]
            load_state(found["ours"])
            text = (newest / "metrics.jsonl").read_text(encoding="utf-8")
            self._metrics = [json.loads(line) for line in text.splitlines()]
        if self.rank == 0:
            write_text(self._folder / "metrics.jsonl", _lines(self._metrics))


def _lines(rows: list[dict[str, float]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@contextmanager
def memory_explained(when: str) -> Iterator[None]:
    """Running out of memory becomes a `RunFailed` that says what to change."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's own error for a GPU is a RuntimeError, a CPU's has no type
        full = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
        if not full:
            raise
        raise RunFailed(
            f"Out of memory {when}. Lower micro_batch_tokens in the stage's section or set gradient_checkpointing: "
            "true, and run again: it goes on. If the weights leave too little room, choose deepspeed: zero3 with more "
            "ranks; that begins anew. It cuts them up after the start: a GPU that cannot hold them whole needs a "
            f"smaller student. ({(str(error).strip() or type(error).__name__).splitlines()[0][:160]})"
        ) from error


def _join_ranks() -> None:
    """A process alone is its own group, with no port and no word of it to its children; others have their place from
    torchrun or Slurm."""
    import deepspeed
    from torch.distributed import HashStore  # type: ignore[attr-defined]

    backend = "nccl" if torch.cuda.is_available() else "gloo"
    if "RANK" not in os.environ and not torch.distributed.is_initialized():
        os.environ.setdefault("LOCAL_RANK", "0")  # DeepSpeed reads it
        torch.distributed.init_process_group(backend, store=HashStore(), rank=0, world_size=1)
    deepspeed.init_distributed(backend, verbose=False)
