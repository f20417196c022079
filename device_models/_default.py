"""What a class says of itself as long as no subclass says otherwise."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    default = property
else:

    class default:
        """A property whose place a subclass may give to a field, too, with a default value or without.

        A `property` would stay in the way of a field without one: it belongs to the class, and cannot be set.
        """

        def __init__(self, of: Callable[[Any], Any]):
            self.of = of
            self.__doc__ = of.__doc__

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:  # what a dataclass takes for the default of a field
                raise AttributeError(f"`{self.of.__name__}` belongs to the objects of a class, not to the class.")
            return self.of(instance)
