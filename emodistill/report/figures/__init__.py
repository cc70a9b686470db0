"""Figures as SVG and PNG: one module for each kind, all in one style (`style.py`)."""

from emodistill.report.figures.emotions import emotion_figure, emotion_turns_figure
from emodistill.report.figures.matrix import matrix_figure
from emodistill.report.figures.offers import Standing, offers_figure
from emodistill.report.figures.training import Curve, training_figure
from emodistill.report.figures.utility import utility_figure

__all__ = [
    "Curve", "Standing", "emotion_figure", "emotion_turns_figure", "matrix_figure", "offers_figure", "training_figure",
    "utility_figure",
]  # fmt: skip
