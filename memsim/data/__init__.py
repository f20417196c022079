"""Data that spiking networks learn from, with their licences."""

from ._dataset import Dataset as Dataset
from ._dataset import Splits as Splits
from ._spoken_digits import spoken_digits as spoken_digits
