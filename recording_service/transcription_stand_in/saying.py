"""What the stand-in says it has heard."""

import threading
from collections import deque

from recording_service.transcription_stand_in.hearing import Stretch

#: What people say on the telephone. Which of them was said, follows from the sound.
SENTENCES = (
    "Good morning, thank you for calling. How can I help you?",
    "Hello, I am calling about the order that I placed last week.",
    "Could you tell me the number that is on your invoice, please?",
    "Yes, of course. One moment, I have it right here.",
    "Thank you. I can see that it left our warehouse yesterday.",
    "That is good to hear. When do you think it will arrive?",
    "It should be with you on Thursday, before noon.",
    "Perfect, then I will be at home. Thank you very much for your help.",
    "You are welcome. Is there anything else that I can do for you?",
    "No, that was all. Have a nice day. Goodbye!",
)

#: How far a pitch may be from the one that was named, as a share of it.
TOLERANCE = 0.03


class Sayings:
    """Chooses a text for each stretch of sound. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[str] = deque()
        self._by_pitch: list[tuple[float, str]] = []

    def add(self, texts: tuple[str, ...]) -> None:
        """Says these next, whatever the sound, a text a stretch."""
        with self._lock:
            self._next.extend(texts)

    def add_at(self, frequency_hz: float, text: str) -> None:
        """Says this for each stretch of that pitch, within 3 percent."""
        with self._lock:
            self._by_pitch.append((frequency_hz, text))

    def text_of(self, stretch: Stretch) -> str:
        """What is said in a stretch."""
        with self._lock:
            for frequency, text in self._by_pitch:
                if abs(stretch.frequency_hz - frequency) <= TOLERANCE * frequency:
                    return text
            if self._next:
                return self._next.popleft()
        return SENTENCES[stretch.number % len(SENTENCES)]
