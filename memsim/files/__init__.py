"""What is saved, and what comes from elsewhere: models, weights, networks, chips."""

from ._arrays import read_arrays as read_arrays
from ._save import load as load
from ._save import save as save
from ._weights import load_weights as load_weights
