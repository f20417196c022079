"""Tables of models: each one listed here passes the promises that its kind shares."""

from device_models import Ideal, Levels, StuckCells, pcm_hermes1, pcm_hermes2, pcm_joshi2020

DEVICES = {
    "ideal": Ideal(),
    "pcm_joshi2020": pcm_joshi2020(),
    "pcm_hermes1": pcm_hermes1(),
    "pcm_hermes2": pcm_hermes2(),
    "stuck_cells": StuckCells(pcm_joshi2020(), p_on=0.01, p_off=0.02),
    "levels": Levels(pcm_joshi2020(), n=16),
}
