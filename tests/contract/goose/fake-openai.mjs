// SPDX-License-Identifier: Apache-2.0
//
// A model endpoint for tests: records each request, and answers "fine" (OpenAI chat or Anthropic messages), or with a status it is told.

import http from "node:http";
import { startServer } from "./harness.mjs";

export class FakeModel {
  constructor() {
    this.requests = []; // {method, path, headers, body} of completions, in order
    this.status = 200;
    this.stall = false; // never answer
    this.server = http.createServer((req, res) => this.handle(req, res));
  }

  // Listens on a free loopback port, or on a Unix socket.
  async listen(t, where = { port: 0, host: "127.0.0.1" }) {
    await new Promise((resolve) => this.server.listen(where, resolve));
    this.url = where.port === 0 ? `http://127.0.0.1:${this.server.address().port}` : undefined;
    t.after(() => {
      this.server.closeAllConnections();
      this.server.close();
    });
    return this;
  }

  async handle(req, res) {
    let text = "";
    for await (const chunk of req) text += chunk;
    if (req.method === "GET") return res.writeHead(200, { "Content-Type": "application/json" }).end('{"object":"list","data":[{"id":"fake","object":"model"}]}');
    const body = JSON.parse(text);
    this.requests.push({ method: req.method, path: req.url, headers: req.headers, body });
    if (this.stall) return undefined;
    if (this.status !== 200) return res.writeHead(this.status, { "Content-Type": "application/json" }).end(JSON.stringify({ error: { message: "told to fail", type: "fake" } }));
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    return req.url.endsWith("/messages") ? anthropic(res) : openai(res);
  }

  // The conversation of the last request: `role: text` a line, tool calls as `role: name(arguments)`.
  conversation() {
    const messages = this.requests.at(-1).body.messages.filter((message) => message.role !== "system");
    return messages.flatMap((message) => {
      const text = (typeof message.content === "string" ? message.content : JSON.stringify(message.content ?? "")).replace(/<turn-context>[\s\S]*?<\/turn-context>/g, "").trim();
      const calls = (message.tool_calls ?? []).map((call) => `${message.role}: ${call.function.name}(${call.function.arguments})`);
      return [...(text && text !== '""' ? [`${message.role}: ${text}`] : []), ...calls];
    });
  }

  tools() {
    return this.requests.at(-1).body.tools?.map((tool) => tool.function.name) ?? [];
  }
}

function openai(res) {
  const send = (delta, finish_reason, usage) =>
    res.write(`data: ${JSON.stringify({ id: "fake", object: "chat.completion.chunk", model: "fake", choices: [{ index: 0, delta, finish_reason }], ...(usage && { usage }) })}\n\n`);
  send({ role: "assistant", content: "fi" }, null);
  send({ content: "ne" }, null);
  send({}, "stop", { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  res.end("data: [DONE]\n\n");
}

function anthropic(res) {
  const send = (type, fields) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  send("message_start", { message: { id: "fake", type: "message", role: "assistant", content: [], model: "fake", usage: { input_tokens: 3, output_tokens: 1 } } });
  send("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  send("content_block_delta", { index: 0, delta: { type: "text_delta", text: "fine" } });
  send("content_block_stop", { index: 0 });
  send("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } });
  send("message_stop", {});
  res.end();
}

// A server whose goose talks to a fake model.
export async function withFake(t, variables = {}) {
  const model = await new FakeModel().listen(t);
  const api = await startServer(t, "goose", { OPENAI_API_KEY: "sk-of-the-tests", OPENAI_HOST: model.url, GOOSE_MODEL: "fake", ...variables });
  return { api, model };
}
