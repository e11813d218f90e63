"""What no source backs of an advice, each with its value and where it is changed."""

from llmcompare.core import advice
from llmcompare.core.needs import Need
from llmcompare.core.phrases import Assumption
from llmcompare.core.scenario import Scenario
from llmcompare.core.serverless_option import ASSUMED_IDLE_TIMEOUT_S
from llmcompare.core.serverless_words import share_text as cold_share


def assumptions(need: Need, scenario: Scenario) -> list[Assumption]:
    """What no source backs."""
    weights = need.weights
    return [
        *_of_serverless(need, scenario),
        Assumption(
            name="half the cost",
            value=f"{advice.POINTS_FOR_HALF_THE_COST * weights.cost:g} points",
            meaning="of the ability index; so much is half the monthly cost worth",
            editable_as="weight of cost",
        ),
        Assumption(
            name="twice the speed",
            value=f"{advice.POINTS_FOR_TWICE_THE_SPEED * weights.speed:g} points",
            meaning="for twice the tokens per second of a single request",
            editable_as="weight of speed",
        ),
        Assumption(
            name="every framework",
            value=f"{advice.POINTS_FOR_EVERY_FRAMEWORK * weights.ecosystem:g} points",
            meaning="for support by all frameworks over support by none; what is not known lies between",
            editable_as="weight of ecosystem",
        ),
        Assumption(
            name="speed of APIs",
            value=f"{need.api_tokens_per_s_low:g} to {need.api_tokens_per_s_high:g} tokens/s",
            meaning="how fast APIs answer is not in the data; all of them are drawn from this range together",
            editable_as="Tokens/s of APIs",
        ),
        Assumption(
            name="loss of a weight format",
            value="such formats are out"
            if need.format_loss_points is None
            else f"0 to {need.format_loss_points:g} points",
            meaning="scores are of the published weights; what another format costs in points was not measured",
            editable_as="Points that another format may lose",
        ),
        Assumption(
            name="least evidence",
            value=f"{need.min_evidence_fraction:.0%} of the weights",
            meaning="of the categories; a model with scores in fewer of them is out",
            editable_as="Categories with a score, at least",
        ),
        Assumption(
            name="prices between providers",
            value="each half of the range is as likely",
            meaning="from the cheapest provider to the dearest, the median in the middle",
            editable_as=None,
        ),
    ]


def _of_serverless(need: Need, scenario: Scenario) -> list[Assumption]:
    asked = scenario.idle_timeout_s
    return [
        Assumption(
            name="cold start",
            value=f"{scenario.cold_start_s:g} s",
            meaning="until a new serverless worker answers; the wait counts in the speed of a request",
            editable_as="cold_start_s",
        ),
        Assumption(
            name="idle timeout",
            value="the provider's default" if asked is None else f"{asked:g} s",
            meaning=f"of serverless workers; {ASSUMED_IDLE_TIMEOUT_S:g} s where no default was read",
            editable_as="idle_timeout_s",
        ),
        Assumption(
            name="requests at once in a worker",
            value=str(scenario.requests_per_worker),
            meaning="of serverless GPUs; latency limits are checked with as many",
            editable_as="requests_per_worker",
        ),
        Assumption(
            name="cold starts within a latency limit",
            value=f"at most {cold_share(need.max_cold_fraction)} of the requests",
            meaning="counts where a limit is set; of several workers the most that can meet one are counted",
            editable_as="Requests that may meet a cold start",
        ),
    ]
