"""Something that stands in front of an adapter: it fails, or does something first or afterwards, method by method."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

Port = TypeVar("Port")

#: What is done before or after a call, with its arguments.
Hook = Callable[..., object]


class Faults(Generic[Port]):
    """Use `port` in the adapter's place. A hook that raises makes the call fail: `before`, without having been made;
    `after`, though it was made, as when an answer gets lost.
    """

    def __init__(self, adapter: Port) -> None:
        self.adapter = adapter
        self.before: dict[str, Hook] = {}
        self.after: dict[str, Hook] = {}
        self.calls: Counter[str] = Counter()

    @property
    def port(self) -> Port:
        """The adapter, as others see it."""
        return cast(Port, self)

    def fail(self, error: BaseException, *methods: str) -> None:
        """Has these methods raise that, until `mend`."""
        for method in methods:
            self.before[method] = raising(error)

    def lose_answer(self, error: BaseException, *methods: str) -> None:
        """Has these methods raise that after they have done what they do, until `mend`."""
        for method in methods:
            self.after[method] = raising(error)

    def mend(self) -> None:
        """Lets everything through again."""
        self.before.clear()
        self.after.clear()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.adapter, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            if name in self.before:
                self.before[name](*arguments, **named)
            answer = attribute(*arguments, **named)
            if name in self.after:
                self.after[name](*arguments, **named)
            return answer

        return call


def raising(error: BaseException) -> Hook:
    """A hook that raises."""

    def hook(*_: Any, **__: Any) -> None:
        # Else its traceback would grow with every time.
        raise error.with_traceback(None)

    return hook


def once(hook: Hook) -> Hook:
    """A hook that does something the first time only."""
    left = [hook]

    def at_first(*arguments: Any, **named: Any) -> None:
        if left:
            left.pop()(*arguments, **named)

    return at_first
