"""Wrong names answered with the near ones; `device_models._names` says how."""

from device_models._names import did_you_mean as did_you_mean
from device_models._names import nearest as nearest
