"""The openai library at an endpoint's own domain: a chat, a stream, and what it says when something is wrong."""

import json
import sys
import time

import openai
import requests
from checks import PROJECT, REGION, run

URL = sys.argv[1]
LOCATION = f"projects/{PROJECT}/locations/{REGION}"
QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]
made = {}


def call(verb, path, body=None, **more):
    answer = requests.request(verb, f"{URL}/{path}", json=body, timeout=20, **more)
    assert answer.ok, answer.text
    return answer.json() if answer.content else {}


def finished(operation):
    while not operation.get("done"):
        time.sleep(0.02)
        operation = call("GET", f"v1beta1/{operation['name']}")
    assert "error" not in operation, operation
    return operation["response"]


def client(**more):
    """As its users make it: the base URL is the endpoint at its own domain, the key is an access token."""
    base = f"https://{made['dedicatedEndpointDns']}/v1/{made['name']}"
    return openai.OpenAI(base_url=base, api_key="ya29.static", **more)


def deploys_a_model():
    call("POST", f"storage/v1/b?project={PROJECT}", {"name": "weights", "location": REGION})
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    for name, content in (("config.json", json.dumps(config)), ("model.safetensors", "0" * 64)):
        call("POST", f"upload/storage/v1/b/weights/o?uploadType=media&name=llama/{name}", data=content)
    request = {"customModel": {"gcsUri": "gs://weights/llama"}, "modelConfig": {"modelUserId": "llama"}}
    response = finished(call("POST", f"v1beta1/{LOCATION}:deploy", request))
    made.update(call("GET", f"v1beta1/{response['endpoint']}"), model=response["model"])


def chats():
    with client() as official:
        answer = official.chat.completions.create(model="llama", messages=QUESTION)
    assert "Why is the sky blue?" in answer.choices[0].message.content
    assert answer.usage.completion_tokens > 0


def streams():
    with client() as official:
        stream = official.chat.completions.create(
            model="llama", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "Why is the sky blue?" in told
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens > 0


def says_that_a_model_is_not_there():
    with client(max_retries=0) as official:
        try:
            official.chat.completions.create(model="other", messages=QUESTION)
        except openai.NotFoundError:
            return
    raise AssertionError("a model that is not there answered")


def deletes_everything():
    endpoint = call("GET", f"v1/{made['name']}")
    undeploy = {"deployedModelId": endpoint["deployedModels"][0]["id"]}
    finished(call("POST", f"v1/{made['name']}:undeployModel", undeploy))
    finished(call("DELETE", f"v1/{made['name']}"))
    finished(call("DELETE", f"v1/{made['model']}"))
    for name in ("config.json", "model.safetensors"):
        call("DELETE", f"storage/v1/b/weights/o/llama%2F{name}")
    call("DELETE", "storage/v1/b/weights")


run(deploys_a_model, chats, streams, says_that_a_model_is_not_there, deletes_everything)
