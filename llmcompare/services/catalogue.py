"""The catalogue as it is now: follows the files in data/ and var/overrides/, and keeps the last good one when a cell
is refused."""

import threading
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from llmcompare.core.calibration import Calibration
from llmcompare.core.published import (
    BenchmarkCategory,
    EcosystemFact,
    FormatQuality,
    FrameworkSupport,
    LanguageFact,
    Licence,
    ListedFormat,
    MeasuredEngine,
    PublishedScore,
    PublishedSpeed,
)
from llmcompare.core.records import (
    ApiOffer,
    Capacity,
    Claim,
    EnergyMeasurement,
    Finding,
    FormatLoss,
    Gpu,
    GpuOffer,
    Model,
    ServerlessTerms,
    StreamSpeed,
)
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tokens import TokenTable
from llmcompare.errors import DataError, LlmCompareError, StoreError, UnknownIdError
from llmcompare.store import db, queries, schema
from llmcompare.store.db import Catalog
from llmcompare.store.paths import Folders, folders
from llmcompare.store.seed import seed


class Facts:
    """The rows of one catalogue, read once each and then shared: they never change."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    @cached_property
    def models(self) -> dict[str, Model]:
        """Models by id."""
        return {model.model_id: model for model in queries.models(self.catalog)}

    @cached_property
    def names(self) -> dict[str, str]:
        """Model id by name or alias."""
        return queries.model_names(self.catalog)

    @cached_property
    def shapes(self) -> dict[str, ModelShape]:
        """Shapes by name or alias, of the models whose layers and heads are known."""
        return queries.model_shapes(self.catalog)

    @cached_property
    def gpus(self) -> dict[str, Gpu]:
        """GPUs by id."""
        return {gpu.gpu_id: gpu for gpu in queries.gpus(self.catalog)}

    @cached_property
    def gpu_offers(self) -> list[GpuOffer]:
        """Present GPU prices."""
        return queries.gpu_offers(self.catalog)

    @cached_property
    def serverless_offers(self) -> list[GpuOffer]:
        """Present prices of serverless GPUs, those whose list does not say the form factor included."""
        return queries.serverless_offers(self.catalog)

    @cached_property
    def serverless_terms(self) -> list[ServerlessTerms]:
        """What providers of serverless GPUs bill."""
        return queries.serverless_terms(self.catalog)

    @cached_property
    def api_offers(self) -> list[ApiOffer]:
        """Present token prices."""
        return queries.api_offers(self.catalog)

    @cached_property
    def calibration(self) -> Calibration:
        """What measurements say of the speed of deployments, and how wrong predictions are."""
        return Calibration(*queries.calibration_rows(self.catalog))

    @cached_property
    def stream_speeds(self) -> dict[tuple[object, ...], list[StreamSpeed]]:
        """Published speeds of single streams, by GPU, count, engine and weight format."""
        by_deployment: dict[tuple[object, ...], list[StreamSpeed]] = {}
        for row in queries.stream_speeds(self.catalog):
            key = (row.gpu_id, row.gpu_count, row.engine, row.weight_format)
            by_deployment.setdefault(key, []).append(row)
        return by_deployment

    @cached_property
    def energy(self) -> list[EnergyMeasurement]:
        """Measured energies of serving."""
        return queries.energy(self.catalog)

    @cached_property
    def capacities(self) -> dict[str, list[Capacity]]:
        """Measured output rates by model id."""
        by_model: dict[str, list[Capacity]] = {}
        for row in queries.capacities(self.catalog):
            by_model.setdefault(row.model_id, []).append(row)
        return by_model

    @cached_property
    def licences(self) -> dict[str, Licence]:
        """Licence texts by id."""
        return {licence.license_id: licence for licence in queries.licences(self.catalog)}

    @cached_property
    def framework_support(self) -> list[FrameworkSupport]:
        """What frameworks say on generations of models."""
        return queries.framework_support(self.catalog)

    @cached_property
    def measured_engines(self) -> list[MeasuredEngine]:
        """Engines with published speeds of a generation."""
        return queries.measured_engines(self.catalog)

    @cached_property
    def ecosystem(self) -> list[EcosystemFact]:
        """Sizes of communities, and what support vendors offer."""
        return queries.ecosystem(self.catalog)

    @cached_property
    def published_scores(self) -> list[PublishedScore]:
        """Every score of a model of the catalogue."""
        return queries.published_scores(self.catalog)

    @cached_property
    def benchmark_categories(self) -> dict[str, BenchmarkCategory]:
        """What each benchmark tests, by its name."""
        return {row.benchmark: row for row in queries.benchmark_categories(self.catalog)}

    @cached_property
    def language_facts(self) -> list[LanguageFact]:
        """Languages that vendors name, and scores per language."""
        return queries.language_facts(self.catalog)

    @cached_property
    def token_table(self) -> TokenTable:
        """Measured tokens by tokenizer and language, and which tokenizer a model has."""
        return queries.token_table(self.catalog)

    @cached_property
    def format_qualities(self) -> list[FormatQuality]:
        """Measured losses of quality per weight format."""
        return queries.format_qualities(self.catalog)

    @cached_property
    def published_speeds(self) -> list[PublishedSpeed]:
        """Every measured rate of a model of the catalogue."""
        return queries.published_speeds(self.catalog)

    @cached_property
    def gpu_price_history(self) -> list[GpuOffer]:
        """Every price of a GPU that was seen, old ones included."""
        return queries.gpu_price_history(self.catalog)

    @cached_property
    def api_price_history(self) -> list[ApiOffer]:
        """Every token price that was seen, old ones included."""
        return queries.api_price_history(self.catalog)

    @cached_property
    def listed_formats(self) -> list[ListedFormat]:
        """llama.cpp's weight formats."""
        return queries.listed_formats(self.catalog)

    @cached_property
    def format_losses(self) -> list[FormatLoss]:
        """Measured losses of weight formats, those without an importance matrix first."""
        return queries.format_losses(self.catalog)

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """The statements of the buying guide by id."""
        return {claim.claim_id: claim for claim in queries.claims(self.catalog)}

    @cached_property
    def findings(self) -> list[Finding]:
        """What sources say on statements that no other table has rows for."""
        return queries.findings(self.catalog)

    def model(self, name: str) -> Model:
        """The model of this id or alias. Raises UnknownIdError."""
        if name not in self.names:
            raise UnknownIdError("model", name, self.names)
        return self.models[self.names[name]]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What can be shown, and what stands in the way of something newer."""

    facts: Facts | None
    """None when no catalogue could ever be built here."""
    problem: LlmCompareError | None
    """Why the newest data are not in use; facts are then the last good ones."""

    def usable(self) -> Facts:
        """The facts. Raises the problem when there are none."""
        if self.facts is None:
            raise self.problem or StoreError("there is no catalogue: run `python -m llmcompare seed`.")
        return self.facts


class _Keeper:
    """Rebuilds when a file of data/ changes; one per pair of folders and process."""

    def __init__(self, where: Folders) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._seen: object = None
        self._state = State(facts=None, problem=None)

    def state(self, today: date) -> State:
        # The day counts too: a date that lies in the future today is good tomorrow.
        seen = (data_signature(self._where), today)
        with self._lock:
            if seen != self._seen:
                self._state = self._refreshed(today)
                # A file that changes while it is read gets another signature, and so another look. A folder that
                # could not be written may be writable at the next look.
                self._seen = None if isinstance(self._state.problem, StoreError) else seen
            return self._state

    def _refreshed(self, today: date) -> State:
        try:
            path = seed(self._where.data, self._where.var, today=today).path
            return State(facts=self._facts(path), problem=None)
        except (DataError, StoreError) as problem:
            return State(facts=self._last_good() or self._without_own(problem, today), problem=problem)

    def _without_own(self, problem: DataError | StoreError, today: date) -> Facts | None:
        """The facts of data/ alone, where only the user's own rows stand in the way of a first catalogue."""
        if not isinstance(problem, DataError) or not all(cell.is_own for cell in problem.cells):
            return None
        return self._facts(seed(self._where.data, self._where.var, today=today, with_own=False).path)

    def _facts(self, path: Path) -> Facts:
        known = self._state.facts
        return known if known is not None and known.catalog.path == path else Facts(Catalog(path))

    def _last_good(self) -> Facts | None:
        if self._state.facts is not None:
            return self._state.facts
        path = db.current_path(self._where.var, schema.schema_hash())
        try:
            return None if path is None else Facts(Catalog(path))
        except StoreError:
            # Damaged; seed() makes it again once nothing else is wrong.
            return None


def _signature(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Changes when a CSV file is edited, replaced, added or removed."""
    try:
        stats = [(path.name, path.stat()) for path in sorted(folder.glob("*.csv"))]
    except OSError:
        return ()
    return tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats)


_keepers: dict[Folders, _Keeper] = {}
_keepers_lock = threading.Lock()


def current(today: date, where: Folders | None = None) -> State:
    """The catalogue of these folders (the installation's own by default), rebuilt first if a file changed."""
    where = where or folders()
    with _keepers_lock:
        keeper = _keepers.setdefault(where, _Keeper(where))
    return keeper.state(today)


def data_signature(where: Folders | None = None) -> object:
    """A cheap value that changes with the files in data/ and var/overrides/."""
    where = where or folders()
    return _signature(where.data), _signature(where.overrides)
