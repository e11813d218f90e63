"""Every question that is asked of the catalogue, as typed rows."""

from dataclasses import fields, replace
from typing import Any

from llmcompare.core.calibration import Band, Factor
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
    Residual,
    Score,
    ScoreCell,
    ServerlessTerms,
    StreamSpeed,
    TableSummary,
    Unjoined,
)
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tokens import ModelTokenizer, Tokenizer, TokenRate, TokenTable
from llmcompare.store.db import Catalog
from llmcompare.store.schema import tables


def _columns(row_type: type) -> str:
    return ", ".join(field.name for field in fields(row_type))


def models(catalog: Catalog) -> list[Model]:
    """All models, families and generations together, newest first within a family."""
    return catalog.rows(
        Model, f"SELECT {_columns(Model)} FROM models ORDER BY family, released_on DESC NULLS LAST, model_id"
    )


def model_names(catalog: Catalog) -> dict[str, str]:
    """Model id of every name, ids included. A name that only shares an architecture is no name of the model."""
    _, rows = catalog.table("SELECT name, model_id FROM model_names WHERE relation <> 'same architecture'")
    return dict(rows)


def model_shapes(catalog: Catalog) -> dict[str, ModelShape]:
    """Shapes by every name of a model, names that only share its architecture included; `name` is the model id.

    Only models whose layers, widths and heads are known. Where no source says that layers keep less than the whole
    context, all of them are taken to keep it: an upper bound of memory. Experts are taken to be in every layer, and
    without shared ones, where nothing else is known.
    """
    shapes = {
        shape.name: shape
        for shape in catalog.rows(ModelShape, f"SELECT {_columns(ModelShape)} FROM model_shapes ORDER BY name")
    }
    _, names = catalog.table("SELECT name, model_id FROM model_names ORDER BY name")
    return {name: shapes[model_id] for name, model_id in names if model_id in shapes}


def gpus(catalog: Catalog) -> list[Gpu]:
    """All GPUs by name."""
    names = _columns(Gpu).replace("gpu_class", "class AS gpu_class")
    return catalog.rows(Gpu, f"SELECT {names} FROM gpus ORDER BY name")


def calibration_rows(catalog: Catalog) -> tuple[list[Factor], list[Band]]:
    """Constants of the speed prediction, and its errors on GPUs and sources that the fit had not seen."""
    factors = catalog.rows(
        Factor,
        "SELECT quantity AS constant, trait, level, constant_value AS value, n FROM calibration"
        " WHERE record_type = 'constant' ORDER BY line",
    )
    bands = catalog.rows(
        Band,
        'SELECT quantity, level AS "group", median_error_fraction AS median_error, low_ratio, high_ratio, n,'
        " error_90th_fraction AS error_90th"
        " FROM calibration WHERE record_type = 'error' AND left_out = 'either' ORDER BY line",
    )
    return factors, bands


def residuals(catalog: Catalog) -> list[Residual]:
    """Every measurement of the calibration beside what was predicted without its GPU, and without its source."""
    names = (
        _columns(Residual)
        .replace("source", "t.source")
        .replace("predicted_without_t.source", "predicted_without_source")
    )
    return catalog.rows(
        Residual, f"SELECT {names} FROM calibration_residuals r JOIN throughput t USING (record_id) ORDER BY r.line"
    )


def gpu_offers(catalog: Catalog) -> list[GpuOffer]:
    """The newest offers of every provider, GPU, number of GPUs and billing class, cheapest per GPU first.

    Where the user has prices of a GPU and billing class, those alone.
    """
    return catalog.rows(
        GpuOffer,
        f"SELECT {_columns(GpuOffer)} FROM gpu_offers WHERE is_current"
        " ORDER BY gpu_id, billing, usd_per_gpu_hour, provider, gpu_count, row_id",
    )


def serverless_offers(catalog: Catalog) -> list[GpuOffer]:
    """The newest prices of serverless GPUs by provider, GPU and name, cheapest per GPU first."""
    return catalog.rows(
        GpuOffer,
        f"SELECT {_columns(GpuOffer)} FROM serverless_offers ORDER BY gpu_id, usd_per_gpu_hour, provider, row_id",
    )


def serverless_terms(catalog: Catalog) -> list[ServerlessTerms]:
    """What providers of serverless GPUs bill."""
    return catalog.rows(
        ServerlessTerms, f"SELECT {_columns(ServerlessTerms)} FROM serverless_terms ORDER BY provider, line"
    )


def api_offers(catalog: Catalog) -> list[ApiOffer]:
    """The newest token prices of every provider, model and variant; one provider may list several.

    Where the user has prices of a model and variant, those alone.
    """
    return catalog.rows(
        ApiOffer,
        f"SELECT {_columns(ApiOffer)} FROM api_offers WHERE is_current ORDER BY provider, api_model_name",
    )


def capacities(catalog: Catalog) -> list[Capacity]:
    """Published output rates of replicas, for each model they apply to."""
    return catalog.rows(Capacity, f"SELECT {_columns(Capacity)} FROM capacities ORDER BY model_id, record_id")


def stream_speeds(catalog: Catalog) -> list[StreamSpeed]:
    """Published speeds of single streams whose request is known; rows marked ANOMALY are left out."""
    return catalog.rows(
        StreamSpeed,
        "SELECT record_id, model_id, gpu_id, gpu_count, engine, weight_format,"
        " input_tokens + output_tokens / 2 AS context_tokens,"
        " decode_tokens_per_s_per_stream AS decode_tokens_per_s, measured_by, row_id, as_of, source FROM throughput"
        " WHERE scenario = 'single-stream decode' AND decode_tokens_per_s_per_stream IS NOT NULL"
        " AND weight_format IS NOT NULL AND input_tokens + output_tokens > 0"
        " AND NOT contains(coalesce(note, ''), 'ANOMALY') AND NOT contains(coalesce(note, ''), 'include prefill')"
        " ORDER BY record_id",
    )


def energy(catalog: Catalog) -> list[EnergyMeasurement]:
    """All measured energies, those of one deployment by rising load."""
    return catalog.rows(
        EnergyMeasurement,
        f"SELECT {_columns(EnergyMeasurement)} FROM energy"
        " ORDER BY model_id, gpu_id, gpu_count, weight_format, measured_by DESC, task, concurrency, record_id",
    )


def priced_score_cells(catalog: Catalog) -> list[ScoreCell]:
    """Cells that hold scores of at least 6 models with an API price, from at least two of the three families.

    The cells that cover most families and models come first.
    """
    return catalog.rows(
        ScoreCell,
        """
        SELECT benchmark, metric, shots, setting, published_by,
               count(DISTINCT s.model_id) AS model_count, count(DISTINCT m.family) AS family_count
        FROM scores s JOIN models m USING (model_id)
        WHERE m.family <> 'other'
          AND s.model_id IN (SELECT model_id FROM api_offers WHERE is_current AND variant = 'standard')
        GROUP BY ALL HAVING model_count >= 6 AND family_count >= 2
        ORDER BY family_count DESC, model_count DESC, benchmark, setting, published_by
        """,
    )


def scores(catalog: Catalog, cell: ScoreCell) -> list[Score]:
    """Scores of one cell; a model listed with several runs has a row for each."""
    return catalog.rows(
        Score,
        f"""
        SELECT {_columns(Score)} FROM scores
        WHERE benchmark = $benchmark AND metric = $metric AND setting = $setting
          AND published_by = $published_by AND shots IS NOT DISTINCT FROM $shots
        ORDER BY model_id, run
        """,
        benchmark=cell.benchmark,
        metric=cell.metric,
        setting=cell.setting,
        published_by=cell.published_by,
        shots=cell.shots,
    )


def licences(catalog: Catalog) -> list[Licence]:
    """All licence texts, those that were not read included."""
    return catalog.rows(Licence, f"SELECT {_columns(Licence)} FROM licenses ORDER BY line")


def framework_support(catalog: Catalog) -> list[FrameworkSupport]:
    """What frameworks say on generations of models."""
    return catalog.rows(FrameworkSupport, f"SELECT {_columns(FrameworkSupport)} FROM framework_support ORDER BY line")


def measured_engines(catalog: Catalog) -> list[MeasuredEngine]:
    """Engines with published speeds of a generation; a model that only shares its architecture is none of it."""
    return catalog.rows(
        MeasuredEngine,
        "SELECT t.engine, m.family, m.generation, count(*) AS measurement_count,"
        " arg_max(t.row_id, (coalesce(t.as_of, ''), -t.line)) AS row_id,"
        " nullif(max(coalesce(t.as_of, '')), '') AS as_of,"
        " arg_max(t.source, (coalesce(t.as_of, ''), -t.line)) AS source"
        " FROM throughput t JOIN model_names n ON n.name = t.model_id AND n.relation <> 'same architecture'"
        " JOIN models m ON m.model_id = n.model_id GROUP BY ALL ORDER BY ALL",
    )


def ecosystem(catalog: Catalog) -> list[EcosystemFact]:
    """Sizes of communities, and what support vendors offer."""
    return catalog.rows(EcosystemFact, f"SELECT {_columns(EcosystemFact)} FROM ecosystem ORDER BY line")


def published_scores(catalog: Catalog) -> list[PublishedScore]:
    """All scores of models of the catalogue."""
    return catalog.rows(
        PublishedScore,
        f"SELECT {_columns(PublishedScore)} FROM scores WHERE model_id IN (SELECT model_id FROM models) ORDER BY line",
    )


def benchmark_categories(catalog: Catalog) -> list[BenchmarkCategory]:
    """What each benchmark tests."""
    return catalog.rows(
        BenchmarkCategory, f"SELECT {_columns(BenchmarkCategory)} FROM benchmark_categories ORDER BY benchmark"
    )


def language_facts(catalog: Catalog) -> list[LanguageFact]:
    """Languages that vendors name, and scores per language."""
    return catalog.rows(LanguageFact, f"SELECT {_columns(LanguageFact)} FROM languages ORDER BY line")


def token_table(catalog: Catalog) -> TokenTable:
    """Measured tokens by tokenizer and language, and which tokenizer a model has."""
    names = _columns(TokenRate)
    for column in ("article_characters", "article_tokens"):
        names = names.replace(column, f"string_split({column}, ';')::INTEGER[] AS {column}")
    rates = catalog.rows(TokenRate, f"SELECT {names} FROM tokenizer_rates ORDER BY line")
    tokenizers = catalog.rows(Tokenizer, f"SELECT {_columns(Tokenizer)} FROM tokenizers ORDER BY line")
    of_model = catalog.rows(ModelTokenizer, f"SELECT {_columns(ModelTokenizer)} FROM model_tokenizers ORDER BY line")
    return TokenTable(
        tokenizers={row.tokenizer_id: row for row in tokenizers},
        of_model={row.model_id: row for row in of_model},
        rates={
            (row.tokenizer_id, row.language_code): replace(
                row, article_characters=tuple(row.article_characters), article_tokens=tuple(row.article_tokens)
            )
            for row in rates
        },
    )


def format_qualities(catalog: Catalog) -> list[FormatQuality]:
    """Measured losses of quality per weight format."""
    return catalog.rows(FormatQuality, f"SELECT {_columns(FormatQuality)} FROM quantization_quality ORDER BY line")


def published_speeds(catalog: Catalog) -> list[PublishedSpeed]:
    """All measured rates whose model is built like one of the catalogue; rows marked ANOMALY are left out."""
    rate = "coalesce(t.decode_tokens_per_s_per_stream, t.output_tokens_per_s) AS tokens_per_s"
    names = ", ".join(f"t.{field.name}" for field in fields(PublishedSpeed))
    names = names.replace("t.model_id", "n.model_id").replace("t.tokens_per_s", rate)
    return catalog.rows(
        PublishedSpeed,
        f"SELECT {names} FROM throughput t JOIN model_names n ON n.name = t.model_id"
        " WHERE NOT contains(coalesce(t.note, ''), 'ANOMALY') ORDER BY t.line",
    )


def gpu_price_history(catalog: Catalog) -> list[GpuOffer]:
    """Every price of a GPU that was seen, the oldest first, undated ones before them."""
    return catalog.rows(GpuOffer, f"SELECT {_columns(GpuOffer)} FROM gpu_prices ORDER BY as_of NULLS FIRST, line")


def api_price_history(catalog: Catalog) -> list[ApiOffer]:
    """Every token price that was seen, the oldest first, undated ones before them."""
    return catalog.rows(ApiOffer, f"SELECT {_columns(ApiOffer)} FROM api_offers ORDER BY as_of NULLS FIRST, line")


def listed_formats(catalog: Catalog) -> list[ListedFormat]:
    """llama.cpp's weight formats, fewest bits first."""
    return catalog.rows(
        ListedFormat, f"SELECT {_columns(ListedFormat)} FROM quantizations ORDER BY bits_per_weight, line"
    )


def format_losses(catalog: Catalog) -> list[FormatLoss]:
    """Measured losses of weight formats, those without an importance matrix first."""
    return catalog.rows(
        FormatLoss,
        f"SELECT {_columns(FormatLoss)} FROM quantization_quality ORDER BY importance_matrix NULLS FIRST, line",
    )


def claims(catalog: Catalog) -> list[Claim]:
    """The statements of the buying guide, in its table's order."""
    return catalog.rows(Claim, f"SELECT {_columns(Claim)} FROM claims ORDER BY line")


def findings(catalog: Catalog) -> list[Finding]:
    """What sources say on statements that no other table has rows for."""
    return catalog.rows(Finding, f"SELECT {_columns(Finding)} FROM findings ORDER BY line")


def table_names() -> list[str]:
    """Names of all tables."""
    return [table.name for table in tables()]


def table_summaries(catalog: Catalog) -> list[TableSummary]:
    """Row counts, dates and sources of every table."""
    return catalog.rows(
        TableSummary,
        " UNION ALL ".join(
            f"""SELECT '{name}' AS table_name, count(*) AS row_count, count(*) - count(as_of) AS undated_count,
                count(DISTINCT source) AS source_count, min(as_of) AS oldest_as_of, max(as_of) AS newest_as_of,
                (SELECT comment FROM duckdb_tables() WHERE table_name = '{name}') AS description FROM {name}"""
            for name in table_names()
        ),
    )


def table_rows(catalog: Catalog, table_name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one table as they stand in data/, then the user's own; row_id and line last."""
    if table_name not in table_names():
        raise KeyError(table_name)
    return catalog.table(f"SELECT * FROM {table_name} ORDER BY rowid")


def unjoined(catalog: Catalog) -> list[Unjoined]:
    """Names in the tables that the catalogue does not know, most rows first."""
    return catalog.rows(Unjoined, "SELECT * FROM unjoined ORDER BY table_name, column_name, row_count DESC, value")
