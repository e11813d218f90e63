-- The catalogue. One table per file in data/, same names, same columns.
--
-- This file is the only place where a rule about a cell is written: seed.py reads types, keys, CHECKs and comments
-- back from it to refuse a bad cell with file, line, column, value and rule (a CHECK names the blamed column first).
-- A rule that needs two tables is a view called refused_*: any row in it is an error.
-- A table with a column is_own also takes rows of the same form from var/overrides/. Where one column names the thing of a
-- row, an own row stands in the place of the listed one.
--
-- Every table also gets two columns that the seed fills: row_id (stable, made from the key) and line (in the CSV).
-- as_of and *_on are ISO 8601 dates of day, month or year precision; an empty as_of is shown as "undated".

CREATE TABLE licenses (
    license_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    applies_to VARCHAR NOT NULL,
    text_read VARCHAR CHECK (text_read IN ('yes', 'partly', 'no')),
    weights_published VARCHAR CHECK (weights_published IN ('yes', 'no')),
    commercial_use VARCHAR CHECK (commercial_use IN ('yes', 'conditional', 'no')),
    redistribution VARCHAR,
    giving_away VARCHAR CHECK (giving_away IN ('yes', 'conditional', 'no')),
    modification VARCHAR,
    changing VARCHAR CHECK (changing IN ('yes', 'conditional', 'no')),
    may_train_other_models VARCHAR,
    training_others VARCHAR CHECK (training_others IN ('yes', 'conditional', 'no')),
    training_condition_binds VARCHAR CHECK (training_condition_binds IN ('always', 'offered')),
    monthly_active_user_cap VARCHAR,
    user_cap_count BIGINT CHECK (user_cap_count BETWEEN 1000 AND 10000000000),
    user_cap_counted VARCHAR CHECK (user_cap_counted IN ('release date', 'any month')),
    revenue_cap_usd_per_month DOUBLE CHECK (revenue_cap_usd_per_month BETWEEN 1000 AND 1e12),
    separate_licence_for VARCHAR CHECK (separate_licence_for IN ('none', 'selling the model or a work assistant')),
    attribution_required VARCHAR,
    visible_notice VARCHAR CHECK (visible_notice IN ('none', 'above a size', 'always')),
    notice_above_users_count BIGINT CHECK (notice_above_users_count BETWEEN 1000 AND 10000000000),
    notice_above_usd_per_month DOUBLE CHECK (notice_above_usd_per_month BETWEEN 1000 AND 1e12),
    field_of_use_limits VARCHAR,
    excluded_fields VARCHAR CHECK (regexp_full_match(excluded_fields, '[a-z ]+(;[a-z ]+)*')),
    eu_excluded VARCHAR CHECK (eu_excluded IN ('none', 'multimodal', 'all')),
    termination_note VARCHAR,
    url VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    CHECK (giving_away IS NULL OR starts_with(redistribution, giving_away)),
    CHECK (changing IS NULL OR starts_with(modification, changing)),
    CHECK (training_others IS NULL OR starts_with(may_train_other_models, training_others)),
    CHECK ((may_train_other_models IS NULL) = (training_others IS NULL)),
    CHECK ((training_condition_binds IS NOT NULL) = (training_others IS NOT DISTINCT FROM 'conditional')),
    CHECK ((user_cap_count IS NOT NULL) = (coalesce(monthly_active_user_cap, 'none') <> 'none')),
    CHECK ((user_cap_counted IS NULL) = (user_cap_count IS NULL)),
    CHECK ((visible_notice IS NOT DISTINCT FROM 'above a size')
           = (notice_above_users_count IS NOT NULL OR notice_above_usd_per_month IS NOT NULL)),
    CHECK (text_read IS DISTINCT FROM 'yes' OR (commercial_use IS NOT NULL AND giving_away IS NOT NULL
           AND changing IS NOT NULL AND training_others IS NOT NULL AND monthly_active_user_cap IS NOT NULL
           AND separate_licence_for IS NOT NULL AND visible_notice IS NOT NULL AND excluded_fields IS NOT NULL
           AND eu_excluded IS NOT NULL)),
    CHECK (commercial_use IS DISTINCT FROM 'no' OR field_of_use_limits IS NOT NULL)
);
COMMENT ON TABLE licenses IS 'Licence texts, one row each. Empty means the clause was not read.';
COMMENT ON COLUMN licenses.text_read IS 'partly: only the clauses whose cells are filled. yes: an empty limit means that the text has none';
COMMENT ON COLUMN licenses.giving_away IS 'whether the weights may be given to others; redistribution says it in words';
COMMENT ON COLUMN licenses.changing IS 'whether the weights may be changed, fine-tuning included; modification says it in words';
COMMENT ON COLUMN licenses.training_others IS 'whether weights or outputs may improve models that are not of the family; may_train_other_models says it in words';
COMMENT ON COLUMN licenses.training_condition_binds IS 'always, or only where the trained model is offered to others';
COMMENT ON COLUMN licenses.user_cap_count IS 'monthly active users above which a separate licence is needed';
COMMENT ON COLUMN licenses.user_cap_counted IS 'when they are counted: in the month before the release date of the model, or in any month';
COMMENT ON COLUMN licenses.revenue_cap_usd_per_month IS 'worldwide consolidated revenue of the licensee or its employer in USD per month, above which no right is given';
COMMENT ON COLUMN licenses.separate_licence_for IS 'businesses that need a separate licence at any size; field_of_use_limits says it in words';
COMMENT ON COLUMN licenses.visible_notice IS 'whether users of a product must see which model it is; attribution_required says it in words';
COMMENT ON COLUMN licenses.notice_above_users_count IS 'monthly active users above which the notice must be seen';
COMMENT ON COLUMN licenses.notice_above_usd_per_month IS 'revenue in USD per month above which the notice must be seen';
COMMENT ON COLUMN licenses.excluded_fields IS 'lawful fields in which use is excluded, several after semicolons, or none';
COMMENT ON COLUMN licenses.eu_excluded IS 'models to which people and companies of the European Union get no rights';
COMMENT ON COLUMN licenses.as_of IS 'day the text was read';

CREATE TABLE models (
    model_id VARCHAR NOT NULL,
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen', 'other')),
    generation VARCHAR NOT NULL,
    display_name VARCHAR NOT NULL,
    released_on VARCHAR,
    params_total_billion DOUBLE CHECK (params_total_billion > 0 AND params_total_billion < 10000),
    params_active_billion DOUBLE CHECK (params_active_billion > 0 AND params_active_billion <= params_total_billion),
    layer_count INTEGER CHECK (layer_count BETWEEN 1 AND 1000),
    hidden_size INTEGER CHECK (hidden_size BETWEEN 1 AND 200000),
    head_count INTEGER CHECK (head_count BETWEEN 1 AND 1000),
    kv_head_count INTEGER CHECK (kv_head_count BETWEEN 1 AND head_count),
    head_size INTEGER CHECK (head_size BETWEEN 1 AND 1000),
    ffn_hidden_size INTEGER CHECK (ffn_hidden_size BETWEEN 1 AND 1000000),
    vocabulary_size INTEGER CHECK (vocabulary_size BETWEEN 1 AND 10000000),
    expert_count INTEGER CHECK (expert_count BETWEEN 1 AND 10000),
    active_expert_count INTEGER CHECK (active_expert_count BETWEEN 1 AND expert_count),
    shared_expert_count INTEGER CHECK (shared_expert_count BETWEEN 0 AND 1000),
    moe_layer_count INTEGER CHECK (moe_layer_count BETWEEN 1 AND layer_count),
    full_kv_layer_count INTEGER CHECK (full_kv_layer_count BETWEEN 0 AND layer_count),
    window_kv_layer_count INTEGER CHECK (window_kv_layer_count BETWEEN 0 AND layer_count - full_kv_layer_count),
    window_tokens BIGINT CHECK (window_tokens BETWEEN 1 AND 100000000),
    tied_embeddings VARCHAR CHECK (tied_embeddings IN ('yes', 'no')),
    context_native_tokens BIGINT CHECK (context_native_tokens BETWEEN 128 AND 100000000),
    context_extended_tokens BIGINT CHECK (context_extended_tokens > context_native_tokens),
    license_id VARCHAR,
    official_language_count INTEGER CHECK (official_language_count BETWEEN 1 AND 1000),
    language_note VARCHAR,
    modalities VARCHAR NOT NULL,
    hf_repo VARCHAR,
    gguf_repo VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    architecture_source VARCHAR,
    shape_source VARCHAR,
    is_own BOOLEAN NOT NULL DEFAULT false,
    UNIQUE (model_id, is_own),
    CHECK (shape_source IS NOT NULL OR (shared_expert_count IS NULL AND moe_layer_count IS NULL
           AND full_kv_layer_count IS NULL AND window_kv_layer_count IS NULL AND tied_embeddings IS NULL)),
    CHECK (shared_expert_count IS NULL OR expert_count IS NOT NULL),
    CHECK (moe_layer_count IS NULL OR expert_count IS NOT NULL),
    CHECK (window_kv_layer_count IS NULL OR (window_kv_layer_count > 0) = (window_tokens IS NOT NULL)),
    CHECK (window_tokens IS NULL OR window_kv_layer_count IS NOT NULL)
);
COMMENT ON TABLE models IS 'Open-weight models of the three families and a few others. Base and chat models have separate ids.';
COMMENT ON COLUMN models.params_total_billion IS 'billion parameters in total';
COMMENT ON COLUMN models.params_active_billion IS 'billion parameters used per token';
COMMENT ON COLUMN models.ffn_hidden_size IS 'of one expert in a mixture of experts';
COMMENT ON COLUMN models.expert_count IS 'experts of a layer that the router chooses from; shared ones are not counted';
COMMENT ON COLUMN models.active_expert_count IS 'experts that the router picks per token; shared ones are not counted';
COMMENT ON COLUMN models.shared_expert_count IS 'width of what every token passes beside the chosen experts, in experts';
COMMENT ON COLUMN models.moe_layer_count IS 'layers that hold experts; the rest are dense';
COMMENT ON COLUMN models.full_kv_layer_count IS 'layers that keep keys and values of the whole context; empty: not known, and then all layers are counted';
COMMENT ON COLUMN models.window_kv_layer_count IS 'layers that keep keys and values of the last window_tokens only';
COMMENT ON COLUMN models.tied_embeddings IS 'yes: one matrix is both the embeddings and the output';
COMMENT ON COLUMN models.shape_source IS 'where the experts, the windows and the tied embeddings were read';
COMMENT ON COLUMN models.released_on IS 'release date';
COMMENT ON COLUMN models.is_own IS 'from var/overrides/: a model of your own, or your figures of a listed one';
COMMENT ON COLUMN models.as_of IS 'day the sources were read';

CREATE TABLE model_aliases (
    alias VARCHAR PRIMARY KEY,
    model_id VARCHAR NOT NULL,
    relation VARCHAR NOT NULL CHECK (relation IN ('same model', 'same architecture', 'version not stated by the lister',
                                                  'same size: API serves the instruct tune')),
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE model_aliases IS 'Other names under which price lists and measurements name a model of the catalogue.';

CREATE TABLE scores (
    model_id VARCHAR NOT NULL,
    benchmark VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    metric VARCHAR NOT NULL,
    shots VARCHAR,
    setting VARCHAR NOT NULL,
    run INTEGER NOT NULL CHECK (run >= 1),
    published_by VARCHAR NOT NULL,
    as_of VARCHAR,
    as_of_note VARCHAR,
    source VARCHAR NOT NULL,
    is_own BOOLEAN NOT NULL DEFAULT false,
    UNIQUE (model_id, benchmark, metric, shots, setting, run, published_by, as_of, source, is_own),
    CHECK (score BETWEEN 0 AND 100 OR NOT contains(metric, '%'))
);
COMMENT ON TABLE scores IS 'Published benchmark scores. Comparable only within one benchmark, metric, shots, setting and publisher.';
COMMENT ON COLUMN scores.score IS 'in the unit that metric names';
COMMENT ON COLUMN scores.run IS 'counts the runs that one publisher lists for the same cell';
COMMENT ON COLUMN scores.is_own IS 'from var/overrides/: a score that you measured or read; it stands beside the listed ones';
COMMENT ON COLUMN scores.as_of IS 'day the figure was published';

CREATE TABLE benchmark_categories (
    benchmark VARCHAR PRIMARY KEY,
    category VARCHAR CHECK (category IN ('knowledge', 'reasoning', 'mathematics', 'code', 'multilingual',
        'instruction following', 'long context', 'tool use')),
    reason VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE benchmark_categories IS 'What a benchmark tests. Empty: none of the eight, or a mean of other rows; such scores are in no index.';
COMMENT ON COLUMN benchmark_categories.reason IS 'the heading under which a publisher prints it, or what its name says';
COMMENT ON COLUMN benchmark_categories.as_of IS 'day the source was read';

CREATE TABLE languages (
    record_type VARCHAR NOT NULL CHECK (record_type IN ('coverage', 'coverage-count', 'score')),
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen', 'other')),
    generation VARCHAR NOT NULL,
    model_id VARCHAR,
    language VARCHAR NOT NULL,
    language_code VARCHAR,
    benchmark VARCHAR,
    score DOUBLE CHECK (score >= 0),
    metric VARCHAR,
    setting VARCHAR,
    officially_supported VARCHAR,
    published_by VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (record_type, family, generation, model_id, language, benchmark, metric, setting, published_by, source)
);
COMMENT ON TABLE languages IS 'Languages that vendors name as supported, and scores per language.';
COMMENT ON COLUMN languages.as_of IS 'day the source was read';

CREATE TABLE tokenizers (
    tokenizer_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen', 'other')),
    kind VARCHAR NOT NULL CHECK (kind IN ('byte-level BPE', 'SentencePiece BPE')),
    vocabulary_size INTEGER NOT NULL CHECK (vocabulary_size BETWEEN 256 AND 10000000),
    file_sha256 VARCHAR NOT NULL CHECK (regexp_full_match(file_sha256, '[0-9a-f]{64}')),
    same_ids_as VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE tokenizers IS 'What turns text into tokens, by generation. Made by benchmarks/measure_tokenizers.py.';
COMMENT ON COLUMN tokenizers.vocabulary_size IS 'tokens that text can become; control tokens come on top';
COMMENT ON COLUMN tokenizers.file_sha256 IS 'of the vocabulary that was measured';
COMMENT ON COLUMN tokenizers.same_ids_as IS 'model whose own tokenizer gave the same ids of a test text, by the hash that llama.cpp recorded; empty: none recorded';
COMMENT ON COLUMN tokenizers.as_of IS 'day of the measurement';

CREATE TABLE model_tokenizers (
    model_id VARCHAR PRIMARY KEY,
    tokenizer_id VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE model_tokenizers IS 'Which tokenizer a model has, where a source was read that says so. A model without a row: not known.';
COMMENT ON COLUMN model_tokenizers.as_of IS 'day the source was read';

CREATE TABLE tokenizer_rates (
    tokenizer_id VARCHAR NOT NULL,
    language_code VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    characters INTEGER NOT NULL CHECK (characters > 0),
    bytes INTEGER NOT NULL CHECK (bytes BETWEEN characters AND 4 * characters),
    tokens INTEGER NOT NULL CHECK (tokens BETWEEN 1 AND 2 * bytes),
    tokens_per_1000_characters DOUBLE NOT NULL
        CHECK (abs(tokens_per_1000_characters - 1000.0 * tokens / characters) < 0.0051),
    article_characters VARCHAR NOT NULL
        CHECK (regexp_full_match(article_characters, '[0-9]+(;[0-9]+)*')
               AND list_sum(string_split(article_characters, ';')::BIGINT[]) = characters),
    article_tokens VARCHAR NOT NULL
        CHECK (regexp_full_match(article_tokens, '[0-9]+(;[0-9]+)*')
               AND list_sum(string_split(article_tokens, ';')::BIGINT[]) = tokens
               AND len(string_split(article_tokens, ';')) = len(string_split(article_characters, ';'))),
    method VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (tokenizer_id, language_code)
);
COMMENT ON TABLE tokenizer_rates IS 'Tokens of the Universal Declaration of Human Rights by language. Made by benchmarks/measure_tokenizers.py.';
COMMENT ON COLUMN tokenizer_rates.characters IS 'Unicode code points in composed form (NFC), line breaks included';
COMMENT ON COLUMN tokenizer_rates.bytes IS 'the same text in UTF-8';
COMMENT ON COLUMN tokenizer_rates.tokens IS 'of all articles, each by itself, without control tokens';
COMMENT ON COLUMN tokenizer_rates.article_characters IS 'of the preamble and the 30 articles, after semicolons';
COMMENT ON COLUMN tokenizer_rates.article_tokens IS 'of the same';
COMMENT ON COLUMN tokenizer_rates.method IS 'what counted, and what counted as many a second time';
COMMENT ON COLUMN tokenizer_rates.as_of IS 'day of the measurement';

CREATE TABLE gpus (
    gpu_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    vendor VARCHAR NOT NULL,
    architecture VARCHAR,
    form_factor VARCHAR CHECK (form_factor IN ('SXM', 'PCIe', 'NVL', 'OAM')),
    memory_gb DOUBLE CHECK (memory_gb BETWEEN 1 AND 2000),
    memory_type VARCHAR,
    memory_bandwidth_gb_per_s DOUBLE NOT NULL CHECK (memory_bandwidth_gb_per_s BETWEEN 10 AND 50000),
    fp16_dense_tflop_per_s DOUBLE CHECK (fp16_dense_tflop_per_s > 0),
    matmul_tflop_per_s DOUBLE CHECK (matmul_tflop_per_s BETWEEN 0.1 AND 10000),
    fp8_dense_tflop_per_s DOUBLE CHECK (fp8_dense_tflop_per_s > 0),
    int8_dense_top_per_s DOUBLE CHECK (int8_dense_top_per_s > 0),
    board_power_w DOUBLE CHECK (board_power_w BETWEEN 1 AND 10000),
    nvlink_gb_per_s DOUBLE CHECK (nvlink_gb_per_s > 0),
    gpu_to_gpu_gb_per_s DOUBLE CHECK (gpu_to_gpu_gb_per_s > 0),
    release_year INTEGER CHECK (release_year BETWEEN 2006 AND 2100),
    class VARCHAR NOT NULL CHECK (class IN ('datacenter', 'workstation', 'consumer')),
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    is_own BOOLEAN NOT NULL DEFAULT false,
    UNIQUE (gpu_id, is_own)
);
COMMENT ON TABLE gpus IS 'GPUs and a few CPUs and systems, from vendor data sheets. Tensor rates are dense.';
COMMENT ON COLUMN gpus.memory_gb IS 'nominal GB as the vendor prints it';
COMMENT ON COLUMN gpus.memory_bandwidth_gb_per_s IS '10^9 bytes per second';
COMMENT ON COLUMN gpus.matmul_tflop_per_s IS 'FP16 products that are added up in FP32, 10^12 per second, dense: on GeForce RTX cards half of the FP16 rate. Speeds are predicted from it';
COMMENT ON COLUMN gpus.is_own IS 'from var/overrides/: a GPU of your own, or your figures of a listed one';
COMMENT ON COLUMN gpus.as_of IS 'day the source was read';

CREATE TABLE gpu_prices (
    provider VARCHAR NOT NULL,
    offer_name VARCHAR NOT NULL,
    gpu_id VARCHAR NOT NULL,
    form_factor_stated VARCHAR NOT NULL CHECK (form_factor_stated IN ('yes', 'no')),
    gpu_count INTEGER NOT NULL CHECK (gpu_count BETWEEN 1 AND 128),
    billing VARCHAR NOT NULL CHECK (billing IN ('on-demand', 'spot', 'reserved-1y', 'reserved-3y', 'community',
                                               'serverless-per-second')),
    region VARCHAR NOT NULL,
    usd_per_hour DOUBLE NOT NULL CHECK (usd_per_hour > 0),
    vcpu_count DOUBLE CHECK (vcpu_count > 0),
    ram_gb DOUBLE CHECK (ram_gb > 0),
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    usd_per_gpu_hour DOUBLE GENERATED ALWAYS AS (usd_per_hour / gpu_count),
    is_own BOOLEAN NOT NULL DEFAULT false,
    UNIQUE (provider, offer_name, gpu_id, gpu_count, billing, region, as_of, source, is_own)
);
COMMENT ON TABLE gpu_prices IS 'One offer at one date. The newest date per provider, GPU, number of GPUs and billing class is the price, the rest is history.';
COMMENT ON COLUMN gpu_prices.form_factor_stated IS 'no: the list does not say SXM, PCIe or NVL, or averages over them; the row stands under the usual form and is in no statistic';
COMMENT ON COLUMN gpu_prices.usd_per_hour IS 'USD per hour for the whole offer, list price without tax';
COMMENT ON COLUMN gpu_prices.is_own IS 'from var/overrides/: a price of your own, which replaces the list of its GPU and billing class';
COMMENT ON COLUMN gpu_prices.as_of IS 'day the price was seen';

CREATE TABLE serverless_terms (
    provider VARCHAR NOT NULL,
    offer_kind VARCHAR NOT NULL,
    offer_name VARCHAR,
    use_as VARCHAR NOT NULL CHECK (use_as IN ('scales to zero', 'always on', 'shared')),
    bills_setup VARCHAR CHECK (bills_setup IN ('yes', 'partly', 'no')),
    bills_idle VARCHAR CHECK (bills_idle IN ('yes', 'no')),
    bills_execution VARCHAR CHECK (bills_execution IN ('yes', 'no')),
    idle_timeout_default_s DOUBLE CHECK (idle_timeout_default_s BETWEEN 0 AND 86400),
    minimum_s DOUBLE CHECK (minimum_s BETWEEN 0 AND 86400),
    rounding_s DOUBLE CHECK (rounding_s > 0 AND rounding_s <= 3600),
    cold_start_low_s DOUBLE CHECK (cold_start_low_s > 0),
    cold_start_high_s DOUBLE CHECK (cold_start_high_s >= cold_start_low_s),
    cold_start_note VARCHAR,
    note VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (provider, offer_kind)
);
COMMENT ON TABLE serverless_terms IS 'What providers of serverless GPUs bill, from their own pages. An empty cell was not read: an assumption stands in for it.';
COMMENT ON COLUMN serverless_terms.offer_name IS 'name of its rows in gpu_prices; empty: all rows of the provider';
COMMENT ON COLUMN serverless_terms.use_as IS 'scales to zero: a deployment of one''s own that stops when idle; always on; shared: a pool with other customers';
COMMENT ON COLUMN serverless_terms.bills_setup IS 'whether the seconds of a start are billed; partly: the machine is free, loading the model is billed';
COMMENT ON COLUMN serverless_terms.idle_timeout_default_s IS 'seconds that a worker stays after its last request unless told otherwise';
COMMENT ON COLUMN serverless_terms.minimum_s IS 'fewest seconds billed of a worker''s life, or of a request where idle time is free';
COMMENT ON COLUMN serverless_terms.rounding_s IS 'the same seconds are rounded up to a multiple of this';
COMMENT ON COLUMN serverless_terms.cold_start_low_s IS 'shortest and longest cold start in seconds that the source publishes, of what cold_start_note says';
COMMENT ON COLUMN serverless_terms.as_of IS 'day the terms were published';

CREATE TABLE api_prices (
    provider VARCHAR NOT NULL,
    api_model_name VARCHAR NOT NULL,
    model_id VARCHAR NOT NULL,
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen', 'deepseek', 'proprietary')),
    variant VARCHAR NOT NULL,
    input_usd_per_mtok DOUBLE NOT NULL CHECK (input_usd_per_mtok BETWEEN 0.001 AND 200),
    cached_input_usd_per_mtok DOUBLE CHECK (cached_input_usd_per_mtok BETWEEN 0.0001 AND input_usd_per_mtok),
    output_usd_per_mtok DOUBLE NOT NULL CHECK (output_usd_per_mtok BETWEEN 0.001 AND 800),
    context_tokens BIGINT CHECK (context_tokens BETWEEN 128 AND 100000000),
    base_price_max_input_tokens BIGINT CHECK (base_price_max_input_tokens BETWEEN 128 AND 100000000),
    batch_discount_fraction DOUBLE CHECK (batch_discount_fraction BETWEEN 0.01 AND 0.99),
    cached_in_batch VARCHAR CHECK (cached_in_batch IN ('both', 'cached', 'batch')),
    batch_source VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    is_own BOOLEAN NOT NULL DEFAULT false,
    UNIQUE (provider, api_model_name, as_of, is_own),
    CHECK ((batch_source IS NULL) = (batch_discount_fraction IS NULL)),
    CHECK (cached_in_batch IS NULL OR batch_discount_fraction IS NOT NULL)
);
COMMENT ON TABLE api_prices IS 'Token prices of hosted APIs: standard tier, base price step. Variants are never mixed in one statistic.';
COMMENT ON COLUMN api_prices.input_usd_per_mtok IS 'USD per million input tokens';
COMMENT ON COLUMN api_prices.cached_input_usd_per_mtok IS 'USD per million input tokens read from the prompt cache; empty where none is listed';
COMMENT ON COLUMN api_prices.output_usd_per_mtok IS 'USD per million output tokens';
COMMENT ON COLUMN api_prices.base_price_max_input_tokens IS 'longest input of a request, cached input included, that these prices hold for; the list asks more for a longer one. Empty: no such step';
COMMENT ON COLUMN api_prices.batch_discount_fraction IS 'share off the prices of requests that can wait, 0 to 1; empty where no batch price was read';
COMMENT ON COLUMN api_prices.cached_in_batch IS 'discounts that cached input gets in a batch: both, cached (that of the cache alone), batch (that of the batch alone); empty: not read, the larger of the two is taken';
COMMENT ON COLUMN api_prices.batch_source IS 'where the discount was read, with the date of what was read';
COMMENT ON COLUMN api_prices.variant IS 'standard, or what the offer name says: turbo, fp8, fast, awq, ...';
COMMENT ON COLUMN api_prices.is_own IS 'from var/overrides/: a price of your own, which replaces the list of its model and variant';
COMMENT ON COLUMN api_prices.as_of IS 'day the price list was published';

CREATE TABLE quantizations (
    quantization VARCHAR PRIMARY KEY,
    bits_per_weight DOUBLE NOT NULL CHECK (bits_per_weight BETWEEN 1 AND 32),
    size_gib DOUBLE NOT NULL CHECK (size_gib > 0),
    prompt_tokens_per_s DOUBLE CHECK (prompt_tokens_per_s > 0),
    prompt_tokens_per_s_error DOUBLE CHECK (prompt_tokens_per_s_error >= 0),
    generation_tokens_per_s DOUBLE CHECK (generation_tokens_per_s > 0),
    generation_tokens_per_s_error DOUBLE CHECK (generation_tokens_per_s_error >= 0),
    hardware VARCHAR,
    note VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE quantizations IS 'llama.cpp weight formats as its quantize tool lists them for Llama 3.1 8B (512 prompt, 128 generated tokens).';

CREATE TABLE quantization_quality (
    model VARCHAR NOT NULL,
    quantization VARCHAR NOT NULL,
    importance_matrix VARCHAR,
    size_gib DOUBLE CHECK (size_gib > 0),
    perplexity DOUBLE NOT NULL CHECK (perplexity >= 1),
    perplexity_error DOUBLE CHECK (perplexity_error >= 0),
    delta_perplexity DOUBLE NOT NULL,
    delta_kind VARCHAR NOT NULL,
    kl_divergence DOUBLE CHECK (kl_divergence >= 0),
    kl_divergence_error DOUBLE CHECK (kl_divergence_error >= 0),
    mean_delta_p_percent DOUBLE,
    rms_delta_p_percent DOUBLE,
    same_top_token_percent DOUBLE CHECK (same_top_token_percent BETWEEN 0 AND 100),
    note VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (model, quantization, importance_matrix, note, source)
);
COMMENT ON TABLE quantization_quality IS 'Measured loss of quality per weight format. delta_kind says what delta_perplexity is.';

CREATE TABLE throughput (
    record_id VARCHAR PRIMARY KEY,
    model_id VARCHAR NOT NULL,
    params_total_billion DOUBLE CHECK (params_total_billion > 0),
    gpu_id VARCHAR NOT NULL,
    gpu_count INTEGER NOT NULL CHECK (gpu_count BETWEEN 1 AND 10000),
    tensor_parallel INTEGER CHECK (tensor_parallel >= 1),
    engine VARCHAR NOT NULL,
    engine_version VARCHAR,
    weight_format VARCHAR,
    kv_format VARCHAR,
    scenario VARCHAR NOT NULL CHECK (scenario IN ('single-stream prefill', 'single-stream decode',
        'offline-max-throughput', 'server-at-concurrency', 'server-at-rate')),
    concurrency DOUBLE CHECK (concurrency >= 1),
    input_tokens DOUBLE CHECK (input_tokens >= 0),
    output_tokens DOUBLE CHECK (output_tokens >= 0),
    prefill_tokens_per_s DOUBLE CHECK (prefill_tokens_per_s > 0),
    decode_tokens_per_s_per_stream DOUBLE CHECK (decode_tokens_per_s_per_stream > 0),
    output_tokens_per_s DOUBLE CHECK (output_tokens_per_s > 0),
    total_tokens_per_s DOUBLE CHECK (total_tokens_per_s > 0),
    requests_per_s DOUBLE CHECK (requests_per_s > 0),
    ttft_ms DOUBLE CHECK (ttft_ms > 0),
    tpot_ms DOUBLE CHECK (tpot_ms > 0),
    measured_by VARCHAR NOT NULL,
    note VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE throughput IS 'Published speed measurements. Rows whose note says ANOMALY are kept and not used.';
COMMENT ON COLUMN throughput.gpu_count IS 'GPUs that the figure was measured on, together';
COMMENT ON COLUMN throughput.output_tokens IS 'mean output tokens of one request';
COMMENT ON COLUMN throughput.as_of IS 'day the figure was published';

CREATE TABLE energy (
    record_id VARCHAR PRIMARY KEY,
    model_id VARCHAR NOT NULL,
    gpu_id VARCHAR NOT NULL,
    gpu_count INTEGER NOT NULL CHECK (gpu_count BETWEEN 1 AND 10000),
    engine VARCHAR NOT NULL,
    engine_version VARCHAR,
    weight_format VARCHAR,
    task VARCHAR NOT NULL,
    concurrency_limit INTEGER CHECK (concurrency_limit >= 1),
    concurrency DOUBLE NOT NULL CHECK (concurrency >= 1),
    input_tokens DOUBLE CHECK (input_tokens >= 0),
    output_tokens DOUBLE NOT NULL CHECK (output_tokens > 0),
    joules_per_output_token DOUBLE NOT NULL CHECK (joules_per_output_token BETWEEN 0.0001 AND 10000),
    output_tokens_per_s DOUBLE CHECK (output_tokens_per_s > 0),
    mean_power_w DOUBLE CHECK (mean_power_w BETWEEN 1 AND 1000000),
    method VARCHAR NOT NULL,
    measured_by VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    CHECK (mean_power_w IS NULL OR output_tokens_per_s IS NULL
           OR joules_per_output_token * output_tokens_per_s BETWEEN 0.98 * mean_power_w AND 1.02 * mean_power_w)
);
COMMENT ON TABLE energy IS 'Measured energy of serving. Modelled figures are never rows here.';
COMMENT ON COLUMN energy.task IS 'what was asked, in the words of the source';
COMMENT ON COLUMN energy.concurrency_limit IS 'requests that the engine was allowed to run at once';
COMMENT ON COLUMN energy.concurrency IS 'requests that ran at once, mean';
COMMENT ON COLUMN energy.input_tokens IS 'mean prompt; empty where the source does not say';
COMMENT ON COLUMN energy.output_tokens IS 'mean output tokens of one request';
COMMENT ON COLUMN energy.joules_per_output_token IS 'energy of all GPUs over output tokens; reading the prompts is part of it, the rest of the machine is not';
COMMENT ON COLUMN energy.output_tokens_per_s IS 'over the same time as the energy; empty where the source counts another time';
COMMENT ON COLUMN energy.mean_power_w IS 'of all GPUs together';
COMMENT ON COLUMN energy.method IS 'how the energy was measured, and over which time';
COMMENT ON COLUMN energy.as_of IS 'day the figure was published';

CREATE TABLE calibration (
    record_type VARCHAR NOT NULL CHECK (record_type IN ('constant', 'error')),
    quantity VARCHAR NOT NULL,
    trait VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    constant_value DOUBLE CHECK (constant_value > 0),
    left_out VARCHAR CHECK (left_out IN ('GPU', 'source', 'either')),
    median_error_fraction DOUBLE CHECK (median_error_fraction >= 0),
    error_90th_fraction DOUBLE CHECK (error_90th_fraction >= median_error_fraction),
    low_ratio DOUBLE CHECK (low_ratio > 0),
    high_ratio DOUBLE CHECK (high_ratio >= low_ratio),
    n INTEGER NOT NULL CHECK (n >= 0),
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (record_type, quantity, trait, level, left_out),
    CHECK ((record_type = 'constant') = (constant_value IS NOT NULL)),
    CHECK ((record_type = 'error') = (median_error_fraction IS NOT NULL))
);
COMMENT ON TABLE calibration IS 'What measurements say about the constants of the speed prediction, and how wrong it is for what it has not seen. Made by benchmarks/calibrate.py.';
COMMENT ON COLUMN calibration.quantity IS 'the constant, or the predicted quantity';
COMMENT ON COLUMN calibration.trait IS 'all: the constant itself; else the trait whose level multiplies it. Of an error: engine';
COMMENT ON COLUMN calibration.constant_value IS 'the constant in its own unit (_s: seconds, _fraction, _tokens), or a factor';
COMMENT ON COLUMN calibration.left_out IS 'what the fit had not seen when the error was counted; either: both kinds together, which the bands are made of';
COMMENT ON COLUMN calibration.median_error_fraction IS 'median of |predicted / measured - 1|';
COMMENT ON COLUMN calibration.low_ratio IS 'measured over predicted, 10th percentile';
COMMENT ON COLUMN calibration.high_ratio IS 'measured over predicted, 90th percentile';
COMMENT ON COLUMN calibration.n IS 'measurements behind the figure';
COMMENT ON COLUMN calibration.as_of IS 'day of the fit';

CREATE TABLE calibration_residuals (
    record_id VARCHAR PRIMARY KEY,
    quantity VARCHAR NOT NULL CHECK (quantity IN ('prefill', 'decode', 'output, one stream', 'output, many streams')),
    measured DOUBLE NOT NULL CHECK (measured > 0),
    predicted DOUBLE NOT NULL CHECK (predicted > 0),
    predicted_without_source DOUBLE NOT NULL CHECK (predicted_without_source > 0),
    as_of VARCHAR,
    source VARCHAR NOT NULL
);
COMMENT ON TABLE calibration_residuals IS 'Each speed measurement beside what a fit predicts that has not seen its GPU, or its source. Made by benchmarks/calibrate.py.';
COMMENT ON COLUMN calibration_residuals.measured IS 'tokens per second';
COMMENT ON COLUMN calibration_residuals.predicted IS 'tokens per second, GPU left out';
COMMENT ON COLUMN calibration_residuals.as_of IS 'day of the fit';

CREATE TABLE claims (
    claim_id VARCHAR PRIMARY KEY,
    topic VARCHAR NOT NULL,
    statement VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    claimed VARCHAR CHECK (regexp_full_match(claimed, '[0-9]+([.][0-9]+)?(e-?[0-9]+)?(;[0-9]+([.][0-9]+)?(e-?[0-9]+)?)*')),
    claimed_as VARCHAR CHECK (claimed_as IN ('exact', 'range', 'list', 'at least', 'at most')),
    unit VARCHAR,
    given VARCHAR CHECK (regexp_full_match(given, '[a-z0-9_]+=[0-9]+([.][0-9]+)?(;[a-z0-9_]+=[0-9]+([.][0-9]+)?)*')),
    answer VARCHAR CHECK (answer IN ('api', 'serverless', 'self-hosting')),
    compare_with VARCHAR,
    how_to_check VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    CHECK (claimed_as IS NULL OR claimed IS NOT NULL),
    CHECK (claimed IS NULL OR (claimed_as IS NOT NULL AND unit IS NOT NULL)),
    CHECK (claimed_as IS NULL OR claimed_as IN ('range', 'list') OR NOT contains(claimed, ';')),
    CHECK (claimed_as IS NULL OR claimed_as <> 'range' OR len(string_split(claimed, ';')) = 2)
);
COMMENT ON TABLE claims IS 'Statements of a buying guide in our words, to be checked. They are never evidence, for each other neither.';
COMMENT ON COLUMN claims.subject IS 'ids of the models or GPUs it speaks of, * for any ending, several joined by vs; or a family';
COMMENT ON COLUMN claims.claimed IS 'its figures in the digits of the guide, several after semicolons; a range is low;high';
COMMENT ON COLUMN claims.given IS 'figures that it starts from, name=number, the unit in the name';
COMMENT ON COLUMN claims.answer IS 'the way to serve that it recommends';
COMMENT ON COLUMN claims.compare_with IS 'ids of statements about the same thing: where both cannot be true, the guide contradicts itself';
COMMENT ON COLUMN claims.as_of IS 'month of the guide';

CREATE TABLE findings (
    claim_id VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    finding VARCHAR NOT NULL,
    supports VARCHAR CHECK (supports IN ('yes', 'no')),
    figure DOUBLE CHECK (figure >= 0),
    against DOUBLE CHECK (against >= 0),
    unit VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (claim_id, part, finding, source),
    CHECK ((figure IS NULL) = (against IS NULL)),
    CHECK ((supports IS NULL) = (figure IS NOT NULL)),
    CHECK ((unit IS NULL) = (figure IS NULL))
);
COMMENT ON TABLE findings IS 'What a source, or a measurement of ours, says on a statement of the guide that no other table has rows for.';
COMMENT ON COLUMN findings.part IS 'the part of the statement that it speaks of';
COMMENT ON COLUMN findings.supports IS 'whether it backs the statement; empty where the two figures say it';
COMMENT ON COLUMN findings.figure IS 'of what the statement praises, in unit';
COMMENT ON COLUMN findings.against IS 'of what it is compared with, in unit';
COMMENT ON COLUMN findings.as_of IS 'day the source was published or the measurement made';

CREATE TABLE framework_support (
    framework VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL CHECK (purpose IN ('serving', 'training')),
    feature VARCHAR NOT NULL CHECK (feature IN ('runs', 'trains', 'tool calling', 'structured output')),
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen', 'all')),
    generation VARCHAR,
    support VARCHAR NOT NULL CHECK (support IN ('yes', 'partly', 'no')),
    note VARCHAR,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (framework, feature, family, generation),
    CHECK ((feature = 'trains') = (purpose = 'training')),
    CHECK (generation IS NULL OR family <> 'all'),
    CHECK (support <> 'partly' OR note IS NOT NULL)
);
COMMENT ON TABLE framework_support IS 'What the documents or the code of a framework say on a generation of models. No row: not read.';
COMMENT ON COLUMN framework_support.generation IS 'as in models; empty: said of the whole family, or of every model';
COMMENT ON COLUMN framework_support.support IS 'partly: of some models, with a limit, or said in general; note tells which';
COMMENT ON COLUMN framework_support.as_of IS 'day the source was read';

CREATE TABLE ecosystem (
    family VARCHAR NOT NULL CHECK (family IN ('llama', 'mistral', 'qwen')),
    kind VARCHAR NOT NULL CHECK (kind IN ('size', 'support')),
    metric VARCHAR NOT NULL,
    figure DOUBLE CHECK (figure >= 0),
    unit VARCHAR,
    statement VARCHAR NOT NULL,
    as_of VARCHAR,
    source VARCHAR NOT NULL,
    UNIQUE (family, metric, as_of, source),
    CHECK ((figure IS NULL) = (unit IS NULL)),
    CHECK ((kind = 'size') = (figure IS NOT NULL))
);
COMMENT ON TABLE ecosystem IS 'How large the community of a family is, and what support its vendor offers, as sources say. No row: not read.';
COMMENT ON COLUMN ecosystem.metric IS 'what is counted or offered; only rows of one metric and day may be compared';
COMMENT ON COLUMN ecosystem.figure IS 'in unit; empty for an offer of support';
COMMENT ON COLUMN ecosystem.as_of IS 'day, month or year that the figure speaks of';
