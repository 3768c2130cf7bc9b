// A model provider on loopback for trips: chat completions as OpenAI streams them. A message "RUN: command" becomes a
// call of goose's shell tool; its output is answered as text. What was asked is kept in `asked`.
// SPDX-License-Identifier: Apache-2.0
import http from "node:http";

export const MODEL = "fake-model";
const USAGE = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 };

const textOf = (content) => (typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join(""));

function reply(body) {
  const last = body.messages.at(-1);
  if (last.role === "tool") return { content: `It said: ${textOf(last.content)}` };
  const command = /RUN: (.+)/.exec(textOf(last.content).replace(/<turn-context>[\s\S]*?<\/turn-context>/g, ""))?.[1];
  const tool = body.tools?.map((one) => one.function.name).find((name) => /shell$/.test(name));
  if (!command || !tool) return { content: "fine" };
  return { tool_calls: [{ index: 0, id: `call_${Date.now()}`, type: "function", function: { name: tool, arguments: JSON.stringify({ command }) } }] };
}

export async function startOpenAi() {
  const asked = [];
  const server = http.createServer(async (req, res) => {
    let text = "";
    for await (const piece of req) text += piece;
    asked.push({ method: req.method, path: req.url, headers: req.headers, text });
    if (!req.url.endsWith("/chat/completions")) return res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ data: [{ id: MODEL }] }));
    const body = JSON.parse(text);
    const delta = reply(body);
    const finish_reason = delta.tool_calls ? "tool_calls" : "stop";
    if (!body.stream) {
      const choices = [{ index: 0, message: { role: "assistant", ...delta }, finish_reason }];
      return res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ id: "x", object: "chat.completion", model: MODEL, choices, usage: USAGE }));
    }
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    const send = (more) => res.write(`data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", model: MODEL, ...more })}\n\n`);
    send({ choices: [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason: null }] });
    send({ choices: [{ index: 0, delta: {}, finish_reason }] });
    send({ choices: [], usage: USAGE });
    return res.end("data: [DONE]\n\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    asked,
    chats: () => asked.filter((one) => one.path.endsWith("/chat/completions")),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
