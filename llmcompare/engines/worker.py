"""The program of a worker process: one model, one request at a time, JSON lines on standard input and output.

    in   {"do": "load", "path": …, "context": …, "threads": …, "gpu_layers": …}
         {"do": "generate", "id": …, "messages": […], "sampling": {…}}
         {"do": "bench", "id": …, "tests": […], "repetitions": …, "threads": …}
         {"do": "stop", "id": …}        {"do": "threads", "count": …}
    out  {"event": "loaded" | "refused" | "started" | "alive" | "token" | "done" | "sampled" | "failed", …}

The process ends when its standard input closes, so none outlives the app. Nobody imports this module. With --devices it
says which GPUs llama.cpp sees, and ends.
"""

import json
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp

from llmcompare.engines.child_process import Control, RefusedError, Sender, begin, described, read_commands
from llmcompare.engines.devices import gpu_devices
from llmcompare.engines.endings import with_advice
from llmcompare.engines.worker_model import Errors, LoadedModel


def serve(commands: "queue.Queue[dict[str, Any]]", control: Control, send: Callable[[dict[str, Any]], None]) -> None:
    """Answer commands until the process ends."""
    errors = Errors()
    llama_cpp.llama_backend_init()
    model: LoadedModel | None = None
    while True:
        command = commands.get()
        if command["do"] == "load":
            try:
                settings = {name: command[name] for name in ("path", "context", "threads", "gpu_layers")}
                model = LoadedModel(control, errors, **settings)
                send({"event": "loaded", "time_s": time.monotonic(), **model.facts()})
            except RefusedError as refusal:
                send({"event": "refused", "reason": str(refusal)})
            except Exception as error:
                traceback.print_exc()
                send({"event": "refused", "reason": f"the worker failed: {with_advice(described(error))}"})
        elif model is not None:
            _answer(model, command, control, send)


def _answer(
    model: LoadedModel, command: dict[str, Any], control: Control, send: Callable[[dict[str, Any]], None]
) -> None:
    control.running_id = command["id"]
    try:
        for event in model.bench(command) if command["do"] == "bench" else model.generate(command):
            send(event)
    except RefusedError as refusal:
        send({"event": "failed", "error": str(refusal), "time_s": time.monotonic()})
    except Exception as error:
        # A fault of this program, not of the request: named, so that it can be reported, and the slot lives on.
        traceback.print_exc()
        model.forget()
        said = with_advice(described(error))
        send({"event": "failed", "error": f"the worker failed: {said}", "time_s": time.monotonic()})
    finally:
        control.running_id = None


def main() -> None:
    """Entry of `python -m llmcompare.engines.worker`."""
    pipe = begin()
    if "--devices" in sys.argv[1:]:
        devices = gpu_devices(Path(llama_cpp.__file__).parent / "lib")
        print(json.dumps({"gpu_offload": llama_cpp.llama_supports_gpu_offload(), "devices": devices}), file=pipe)
        pipe.close()
        return

    send = Sender(pipe)
    commands: queue.Queue[dict[str, Any]] = queue.Queue()
    control = Control(send)
    threading.Thread(target=read_commands, args=(commands, control), daemon=True).start()
    serve(commands, control, send)


if __name__ == "__main__":
    main()
