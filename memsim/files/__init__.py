"""What is saved, and what comes from elsewhere: models, weights, networks, chips."""

from ._save import load as load
from ._save import save as save
