-- Views over the catalogue: the joins and choices that every reader must make alike.

CREATE VIEW refused_gpu_prices AS
SELECT line, 'gpu_prices' AS table_name, 'usd_per_hour' AS column_name, usd_per_hour::VARCHAR AS value,
       format('{} USD per GPU-hour is outside the plausible range of a {} GPU billed {}: 0.02 to {}',
              round(usd_per_gpu_hour, 4), class, billing, ceiling) AS rule,
       is_own
FROM (
    SELECT p.line, p.is_own, p.usd_per_hour, p.usd_per_gpu_hour, p.billing, coalesce(g.class, 'unlisted') AS class,
           CASE WHEN g.class = 'consumer' THEN 5
                WHEN g.class = 'workstation' THEN 8
                WHEN p.billing = 'on-demand' THEN 60
                WHEN p.billing IN ('serverless-per-second', 'reserved-1y') THEN 30
                ELSE 25 END AS ceiling
    FROM gpu_prices p LEFT JOIN gpus g USING (gpu_id)
)
WHERE usd_per_gpu_hour NOT BETWEEN 0.02 AND ceiling;

CREATE VIEW refused_model_aliases AS
SELECT line, 'model_aliases' AS table_name, 'alias' AS column_name, alias AS value,
       'is the id of a model, so it cannot name another one' AS rule
FROM model_aliases WHERE alias IN (SELECT model_id FROM models);

CREATE VIEW refused_model_tokenizers AS
SELECT u.line, 'model_tokenizers' AS table_name, 'tokenizer_id' AS column_name, u.tokenizer_id AS value,
       format('has {} tokens and up to 2,048 control tokens, which makes no vocabulary of {} as {} has it',
              t.vocabulary_size, m.vocabulary_size, m.model_id) AS rule
FROM model_tokenizers u JOIN models m USING (model_id) JOIN tokenizers t USING (tokenizer_id)
-- Models round the size of their vocabulary up, so a larger one proves nothing; a smaller one does.
WHERE m.vocabulary_size NOT BETWEEN t.vocabulary_size AND t.vocabulary_size + 2048;

CREATE VIEW refused_tokenizer_rates AS
SELECT r.line, 'tokenizer_rates' AS table_name, 'article_characters' AS column_name, r.article_characters AS value,
       format('differs from the text of the same language with another tokenizer, line {}', o.line) AS rule
FROM tokenizer_rates r JOIN (SELECT DISTINCT ON (language_code) * FROM tokenizer_rates ORDER BY language_code, line) o
  USING (language_code)
WHERE (r.article_characters, r.language) <> (o.article_characters, o.language);

CREATE VIEW refused_claims AS
SELECT line, 'claims' AS table_name, 'compare_with' AS column_name, compare_with AS value,
       format('{} is no other statement of the table', other) AS rule
FROM (SELECT line, claim_id, compare_with, unnest(string_split(compare_with, ';')) AS other FROM claims)
WHERE other = claim_id OR other NOT IN (SELECT claim_id FROM claims);

CREATE VIEW refused_findings AS
SELECT line, 'findings' AS table_name, 'claim_id' AS column_name, claim_id AS value,
       'is no statement of claims.csv' AS rule
FROM findings WHERE claim_id NOT IN (SELECT claim_id FROM claims);

CREATE VIEW refused_framework_support AS
SELECT line, 'framework_support' AS table_name, 'generation' AS column_name, generation AS value,
       format('is no generation of the family {} in models.csv', family) AS rule
FROM framework_support f
WHERE generation IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM models m WHERE m.family = f.family AND m.generation = f.generation);

-- Names under which price lists and measurements may name a model.
CREATE VIEW model_names AS
SELECT model_id AS name, model_id, 'same id' AS relation FROM models
UNION ALL
SELECT a.alias, a.model_id, a.relation FROM model_aliases a JOIN models USING (model_id)
UNION ALL
SELECT hf_repo, model_id, 'repository of its weights' FROM models
WHERE hf_repo IS NOT NULL AND hf_repo NOT IN (SELECT alias FROM model_aliases);

-- What memory and speed follow from. The defaults for cells that no source fills stand here and nowhere else.
CREATE VIEW model_shapes AS
SELECT model_id AS name,
       round(params_total_billion * 1e9) AS params_total,
       round(coalesce(params_active_billion, params_total_billion) * 1e9) AS params_active,
       layer_count, hidden_size, head_count, kv_head_count, head_size AS key_size, head_size AS value_size,
       -- Not known to keep less: every layer keeps the whole context, an upper bound.
       coalesce(full_kv_layer_count, layer_count) AS full_kv_layer_count,
       full_kv_layer_count IS NULL AS kv_is_upper_bound,
       coalesce(window_kv_layer_count, 0) AS window_kv_layer_count,
       window_tokens, vocabulary_size, ffn_hidden_size, expert_count, active_expert_count,
       coalesce(shared_expert_count, 0) AS shared_expert_count,
       CASE WHEN expert_count IS NOT NULL THEN coalesce(moe_layer_count, layer_count) END AS moe_layer_count,
       tied_embeddings = 'yes' AS tied_embeddings,
       context_native_tokens, context_extended_tokens
FROM models
WHERE params_total_billion IS NOT NULL AND layer_count IS NOT NULL AND hidden_size IS NOT NULL
  AND head_count IS NOT NULL AND kv_head_count IS NOT NULL AND head_size IS NOT NULL;

-- The price of a provider's machine with so many of a GPU under a billing class is in its newest rows (undated ones
-- count as oldest); everything else is history. A machine of another size is another offer. Two rows can stand for any
-- size, the cheapest of a list and a median over it: a newer row of any machine ends them. The region is no part of the
-- offer here, because lists name it in words of their own. Lists that do not say the form factor stand apart, in no
-- statistic. The user's own rows alone are the price of their GPU and billing class: it is what they pay.
CREATE VIEW gpu_offers AS
SELECT *, as_of IS NOT DISTINCT FROM (
              CASE WHEN contains(offer_name, 'cheapest') OR contains(offer_name, 'median')
                   THEN max(as_of) OVER (PARTITION BY provider, gpu_id, billing, is_own)
                   ELSE max(as_of) OVER (PARTITION BY provider, gpu_id, billing, is_own, gpu_count) END)
          AND is_own = bool_or(is_own) OVER (PARTITION BY gpu_id, billing) AS is_current
FROM gpu_prices
WHERE form_factor_stated = 'yes';

-- Prices of serverless GPUs, newest rows of each provider, GPU and name (one provider sells several kinds of worker).
-- Their lists seldom say the form factor, and they stand in no statistic with rented machines.
CREATE VIEW serverless_offers AS
SELECT * EXCLUDE (is_current)
FROM (
    SELECT *, as_of IS NOT DISTINCT FROM max(as_of) OVER (PARTITION BY provider, gpu_id, offer_name, is_own)
              AND is_own = bool_or(is_own) OVER (PARTITION BY gpu_id) AS is_current
    FROM gpu_prices
    WHERE billing = 'serverless-per-second'
)
WHERE is_current;

-- A distilled model shares an architecture with its base, not a price. A name outside the catalogue is its own model,
-- and the user's own price of it replaces that of the same provider alone.
CREATE VIEW api_offers AS
SELECT *, as_of IS NOT DISTINCT FROM max(as_of) OVER (
              PARTITION BY provider, coalesce(model_id, api_model_name), variant, is_own)
          AND is_own = bool_or(is_own) OVER (
              PARTITION BY coalesce(model_id, provider || chr(31) || api_model_name), variant) AS is_current
FROM (
    SELECT p.* EXCLUDE (model_id), p.model_id AS listed_model_id, n.model_id
    FROM api_prices p
    LEFT JOIN model_names n ON n.name = p.model_id AND n.relation <> 'same architecture'
);

-- Measurements that say how much a replica serves, for each model that has the measured model's architecture.
CREATE VIEW capacities AS
SELECT m.model_id, measured.model_id AS measured_model_id, t.* EXCLUDE (model_id, output_tokens_per_s),
       -- Some sources print the rate of the decode phase alone; the total over the whole run bounds what is served.
       least(t.output_tokens_per_s,
             t.total_tokens_per_s * t.output_tokens / (t.input_tokens + t.output_tokens)) AS output_tokens_per_s
FROM throughput t
JOIN model_names n ON n.name = t.model_id
JOIN models measured ON measured.model_id = n.model_id
JOIN models m ON m.model_id = measured.model_id OR (
    m.layer_count = measured.layer_count AND m.hidden_size = measured.hidden_size
    AND m.head_count = measured.head_count AND m.kv_head_count = measured.kv_head_count
    AND m.ffn_hidden_size = measured.ffn_hidden_size AND m.vocabulary_size = measured.vocabulary_size
    -- Vision models carry extra layers that these columns do not show, the parameter count does.
    AND abs(m.params_total_billion - measured.params_total_billion) <= 0.01 * measured.params_total_billion
    AND m.expert_count IS NOT DISTINCT FROM measured.expert_count
    AND m.active_expert_count IS NOT DISTINCT FROM measured.active_expert_count)
WHERE t.output_tokens_per_s IS NOT NULL AND t.output_tokens > 0 AND t.input_tokens > 0
  AND t.scenario NOT LIKE 'single-stream%' AND NOT contains(coalesce(t.note, ''), 'ANOMALY');

-- Rows that name a model or GPU which the catalogue does not hold: kept, counted, shown.
CREATE VIEW unjoined AS
SELECT 'api_prices' AS table_name, 'model_id' AS column_name, listed_model_id AS value, count(*) AS row_count
FROM api_offers WHERE model_id IS NULL AND family NOT IN ('proprietary', 'deepseek') GROUP BY ALL
UNION ALL
SELECT 'throughput', 'model_id', model_id, count(*)
FROM throughput WHERE model_id NOT IN (SELECT name FROM model_names) GROUP BY ALL
UNION ALL
SELECT 'throughput', 'gpu_id', gpu_id, count(*)
FROM throughput WHERE gpu_id NOT IN (SELECT gpu_id FROM gpus) GROUP BY ALL
UNION ALL
SELECT 'gpu_prices', 'gpu_id', gpu_id, count(*)
FROM gpu_prices WHERE gpu_id NOT IN (SELECT gpu_id FROM gpus) GROUP BY ALL
UNION ALL
SELECT 'scores', 'model_id', model_id, count(*)
FROM scores WHERE model_id NOT IN (SELECT name FROM model_names) GROUP BY ALL
UNION ALL
SELECT 'languages', 'model_id', model_id, count(*)
FROM languages WHERE model_id IS NOT NULL AND model_id NOT IN (SELECT name FROM model_names) GROUP BY ALL
UNION ALL
SELECT 'model_aliases', 'model_id', model_id, count(*)
FROM model_aliases WHERE model_id NOT IN (SELECT model_id FROM models) GROUP BY ALL
UNION ALL
SELECT 'models', 'license_id', license_id, count(*)
FROM models WHERE license_id IS NOT NULL AND license_id NOT IN (SELECT license_id FROM licenses) GROUP BY ALL
UNION ALL
SELECT 'model_tokenizers', 'model_id', model_id, count(*)
FROM model_tokenizers WHERE model_id NOT IN (SELECT model_id FROM models) GROUP BY ALL
UNION ALL
SELECT 'model_tokenizers', 'tokenizer_id', tokenizer_id, count(*)
FROM model_tokenizers WHERE tokenizer_id NOT IN (SELECT tokenizer_id FROM tokenizers) GROUP BY ALL
UNION ALL
SELECT 'tokenizer_rates', 'tokenizer_id', tokenizer_id, count(*)
FROM tokenizer_rates WHERE tokenizer_id NOT IN (SELECT tokenizer_id FROM tokenizers) GROUP BY ALL;
