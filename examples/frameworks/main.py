"""LangChain, LlamaIndex and LiteLLM through the proxy: each is given one base URL, and nothing else changes.

Each asks the same question about a document of 3,800 tokens at 5:1. The upstream is scripted and keeps what it
receives.
"""

import os
import time
from collections.abc import Callable

from proxy import ROOT, Headroom, table
from upstream import Upstream, text_of

# It would fetch a price list from the network when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # noqa: E402
from langchain_core.output_parsers import StrOutputParser  # noqa: E402
from langchain_core.prompts import ChatPromptTemplate  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402
from llama_index.core.llms import ChatMessage  # noqa: E402
from llama_index.llms.openai import OpenAI as LlamaIndexOpenAI  # noqa: E402

DOCUMENT = (ROOT / "fixtures/demo/service-agreement.md").read_text()
QUESTION = "By when must a credit be requested?"
FACT = "within 45 days of the end of the month"
PROMPT = "Answer from the document.\n\n<document>\n{document}</document>\n\n{question}"
ANSWER = "Within 45 days."
MODEL, KEY = "gpt-4o-mini", "an-example-needs-no-key"


def langchain(base: str) -> str:
    model = ChatOpenAI(model=MODEL, base_url=base, api_key=KEY)
    chain = ChatPromptTemplate.from_template(PROMPT) | model | StrOutputParser()
    return chain.invoke({"document": DOCUMENT, "question": QUESTION})


def llama_index(base: str) -> str:
    model = LlamaIndexOpenAI(model=MODEL, api_base=base, api_key=KEY)
    asked = PROMPT.format(document=DOCUMENT, question=QUESTION)
    return model.chat([ChatMessage(role="user", content=asked)]).message.content or ""


def lite_llm(base: str) -> str:
    asked = {"role": "user", "content": PROMPT.format(document=DOCUMENT, question=QUESTION)}
    answer = litellm.completion(model=f"openai/{MODEL}", api_base=base, api_key=KEY, messages=[asked])
    return answer.choices[0].message.content


def reply(path: str, body: dict) -> dict:
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
    }


def main() -> None:
    clients: dict[str, Callable[[str], str]] = {"LangChain": langchain, "LlamaIndex": llama_index, "LiteLLM": lite_llm}
    rows = []
    with (
        Upstream(reply) as upstream,
        Headroom("--ratio", "5", upstream=upstream.url, engine__time_budget_ms=0) as proxy,
    ):
        for name, ask in clients.items():
            began = time.monotonic()
            said = ask(proxy.base)
            took = time.monotonic() - began
            arrived = text_of(upstream.received[-1]["messages"][-1])
            assert said == ANSWER, said
            assert QUESTION in arrived, "the question goes on word for word"
            before = PROMPT.format(document=DOCUMENT, question=QUESTION)
            assert len(arrived) < len(before) / 2, arrived
            fact = "yes" if FACT in arrived else "no"
            rows.append([name, len(before), len(arrived), fact, f"{1000 * took:.0f}"])
    print(table(["client", "characters sent", "characters that arrive", "the fact arrives", "ms"], rows))


if __name__ == "__main__":
    main()
