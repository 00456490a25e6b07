"""A model on loopback that calls one tool and then repeats what came back. Speaks as much of two vendors' streams as their agents read.

    model.py TOOL      prints its address; then a JSON line for each answer that an agent fetches
"""
import http.server
import json
import sys

TOOL = sys.argv[1]
SAID = "The tool says: "


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        if self.path.partition("?")[0].endswith("/v1/messages"):
            self.events(anthropic(asked, *judge(asked)))
        elif self.path.endswith("/chat/completions"):
            self.events(openai(*judge(asked)))
        else:
            self.answer(b'{"input_tokens": 1}', "application/json")

    def do_GET(self):
        self.answer(b"{}", "application/json")

    do_HEAD = do_GET

    def events(self, events):
        lines = "".join((f"event: {name}\n" if name else "") + f"data: {data}\n\n" for name, data in events)
        self.answer(lines.encode(), "text/event-stream")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def judge(asked):
    """The full name of the tool to call, or none; and what the tool said when it was called."""
    names = [tool.get("name") or tool["function"]["name"] for tool in asked.get("tools", [])]
    name = next((name for name in names if name.endswith(TOOL)), None)
    result = next((text for message in asked.get("messages", []) for text in results(message)), None)
    print(json.dumps({"tools": len(names), "tool": name, "result": result}), flush=True)
    return (name if result is None else None), result


def results(message):
    content = message.get("content")
    if message.get("role") == "tool":
        yield text_of(content)
    elif isinstance(content, list):
        yield from (text_of(block["content"]) for block in content if block.get("type") == "tool_result")


def text_of(content):
    return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)


def anthropic(asked, name, result):
    """The Messages API's stream."""
    event = lambda kind, **more: (kind, json.dumps({"type": kind, **more}))
    start = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}} if name else {"type": "text", "text": ""}
    delta = {"type": "input_json_delta", "partial_json": "{}"} if name else {"type": "text_delta", "text": f"{SAID}{result}"}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model", "m"), "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    yield event("message_start", message=message)
    yield event("content_block_start", index=0, content_block=start)
    yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "tool_use" if name else "end_turn", "stop_sequence": None}, usage={"output_tokens": 1})
    yield event("message_stop")


def openai(name, result):
    """The chat completions' stream."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    delta = {"role": "assistant", "tool_calls": [call]} if name else {"role": "assistant", "content": f"{SAID}{result}"}
    chunk = lambda delta, reason: ("", json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}))
    yield chunk(delta, None)
    yield chunk({}, "tool_calls" if name else "stop")
    yield "", "[DONE]"


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
