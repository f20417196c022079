"""Hardware-aware training: each step samples the hardware and takes the gradient through it."""

from ._evaluate import accuracy as accuracy
from ._evaluate import evaluate as evaluate
from ._evaluate import run_batch as run_batch
from ._fit import fit as fit
from ._hardware import AbstractHardware as AbstractHardware
from ._hardware import GaussianNoise as GaussianNoise
from ._hardware import LogUniform as LogUniform
from ._hardware import OnChip as OnChip
from ._hardware import SampledChip as SampledChip
from ._loss import class_scores as class_scores
from ._loss import count_cross_entropy as count_cross_entropy
from ._loss import cross_entropy as cross_entropy
from ._loss import latency_cross_entropy as latency_cross_entropy
from ._loss import latency_scores as latency_scores
from ._loss import max_cross_entropy as max_cross_entropy
from ._loss import mse as mse
from ._loss import prediction as prediction
from ._loss import rate_mse as rate_mse
from ._loss import van_rossum as van_rossum
from ._metrics import METRICS as METRICS
from ._objective import Objective as Objective
from ._penalty import SpikeRate as SpikeRate
from ._run import Epoch as Epoch
from ._stop import Stop as Stop
from ._trainer import Trainer as Trainer
from ._trainer import clip_weights as clip_weights

__all__ = [
    "METRICS",
    "AbstractHardware",
    "Epoch",
    "GaussianNoise",
    "LogUniform",
    "Objective",
    "OnChip",
    "SampledChip",
    "SpikeRate",
    "Stop",
    "Trainer",
    "accuracy",
    "class_scores",
    "clip_weights",
    "count_cross_entropy",
    "cross_entropy",
    "evaluate",
    "fit",
    "latency_cross_entropy",
    "latency_scores",
    "max_cross_entropy",
    "mse",
    "prediction",
    "rate_mse",
    "run_batch",
    "van_rossum",
]
