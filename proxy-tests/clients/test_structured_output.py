"""`response_format` arrives as it was, and `parse` gives the object that the upstream wrote."""

from pydantic import BaseModel

import pytest

from conftest import report

pytestmark = pytest.mark.client("openai-python")


class Opening(BaseModel):
    subject: str
    year: int


MESSAGES = [{"role": "user", "content": report("the valley") + "\n\nWhen was the museum opened? Answer as json."}]


def test_parse_gives_the_object(client, upstream):
    upstream.script.words = ['{"subject": "museum",', ' "year": 1999}']
    completion = client.chat.completions.parse(model="gpt-4o-mini", messages=MESSAGES, response_format=Opening)
    assert completion.choices[0].message.parsed == Opening(subject="museum", year=1999)
    schema = upstream.last.json()["response_format"]["json_schema"]
    assert schema["name"] == "Opening" and schema["strict"] is True
    assert schema["schema"]["required"] == ["subject", "year"]


def test_the_word_json_that_json_mode_demands_survives(client, upstream):
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, response_format={"type": "json_object"})
    arrived = upstream.last.json()
    assert arrived["response_format"] == {"type": "json_object"}
    assert "json" in arrived["messages"][0]["content"]
    assert len(arrived["messages"][0]["content"]) < len(MESSAGES[0]["content"])
