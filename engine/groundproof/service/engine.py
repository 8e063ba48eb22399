"""The one model of a service: loaded behind the scenes, shared by all jobs.

Knows when the model is ready and why it is not. Refuses to know jobs.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

from groundproof.errors import GroundproofError, ModelError
from groundproof.models.base import VisionLanguageModel
from groundproof.models.open import open_model
from groundproof.models.profiles import Profile
from groundproof.models.resolve import resolve


class Engine:
    """Opens a model in a thread of its own. A model that fails to load is reported, and tried again when asked.

    model: what `groundproof ask --model` takes, or an opened model, which the caller closes.
    """

    def __init__(self, model: str | VisionLanguageModel, device: str = "auto") -> None:
        self.name = model if isinstance(model, str) else model.profile.name
        self._device = device
        self._lock = threading.Lock()
        self._mine = isinstance(model, str)
        self._loading: Future[VisionLanguageModel] | None = None
        if not isinstance(model, str):
            self._loading = Future()
            self._loading.set_result(model)

    def start(self) -> None:
        """Begin to load, unless that goes on or is done. Raises ModelError at once for an unknown model."""
        with self._lock:
            failed = (
                self._loading is not None and self._loading.done() and self._loading.exception() is not None
            )
            if self._loading is not None and not failed:
                return
            spec = resolve(self.name)
            future: Future[VisionLanguageModel] = Future()
            self._loading = future

        def load() -> None:
            try:
                future.set_result(open_model(spec, device=self._device))
            except Exception as err:  # noqa: BLE001 - carried to whoever asks for the model
                future.set_exception(err)

        threading.Thread(target=load, name="load the model", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether the model can answer now."""
        loading = self._loading
        return loading is not None and loading.done() and loading.exception() is None

    @property
    def profile(self) -> Profile:
        """What is known of the model, also while it is being loaded. Raises ModelError for an unknown one."""
        return self.model.profile if self.ready else resolve(self.name).profile

    @property
    def state(self) -> str:
        """One sentence for /ready."""
        loading = self._loading
        if loading is None or not loading.done():
            return f"The model {self.name} is being loaded."
        error = loading.exception()
        return f"{self.model.identity} is ready." if error is None else f"The model cannot answer: {error}"

    @property
    def model(self) -> VisionLanguageModel:
        """The model; waits while it is being loaded. Raises ModelError."""
        self.start()
        if self._loading is None:
            raise ModelError("The model was let go of.")
        try:
            return self._loading.result()
        except GroundproofError:
            raise
        except Exception as err:
            raise ModelError(
                f"The model {self.name} could not be loaded: {type(err).__name__}: {err}"
            ) from err

    def close(self) -> None:
        """Let go of the model, when it is this engine's own."""
        if self._mine and self.ready:
            self.model.close()
