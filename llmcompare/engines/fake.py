"""A deterministic engine for tests and screenshots. Never the default of anything that a user sees."""

import time
from collections.abc import Generator

from llmcompare.engines.base import Done, Event, Measured, Request, Started, Tick, Token
from llmcompare.engines.text import TextStream


class FakeEngine:
    """Answers with the words of the last message in reverse order, one token a word."""

    def __init__(self, name: str = "fake", *, seconds_per_token: float = 0.0) -> None:
        self.name = name
        self._seconds_per_token = seconds_per_token
        self._cold = True
        self.closed = False

    def stream(self, request: Request) -> Generator[Event, None, None]:
        """Events like those of a real engine."""
        prompt = "\n".join(message.content for message in request.messages)
        started, cold, self._cold = time.monotonic(), self._cold, False
        yield Started(prompt_text=prompt, prompt_tokens=len(prompt.split()), reused_tokens=0, time_s=started)
        words = request.messages[-1].content.split()[::-1]
        text, count, reason = TextStream(request.sampling.stop), 0, "end"
        for word in words:
            if count == request.sampling.max_tokens:
                reason = "length"
                break
            time.sleep(self._seconds_per_token)
            yield Tick(time_s=time.monotonic())
            count += 1
            yield Token(text=text.push(f"{word} ".encode()), generated_tokens=count, time_s=time.monotonic())
            if text.stopped:
                reason = "stop"
                break
        rest = text.finish()
        if rest:
            yield Token(text=rest, generated_tokens=count, time_s=time.monotonic())
        yield Done(
            reason=reason,  # type: ignore[arg-type]
            time_s=time.monotonic(),
            measured=Measured(
                prompt_tokens=len(prompt.split()),
                reused_tokens=0,
                generated_tokens=count,
                ttft_ms=self._seconds_per_token * 1000 if count else None,
                prompt_tokens_per_s=None,
                generation_tokens_per_s=None,
                peak_memory_bytes=0,
                threads=1,
                gpu_layers=0,
                cold=cold,
                context_tokens=0,
                engine="fake",
            ),
        )

    def close(self) -> None:
        """Nothing to release."""
        self.closed = True
