#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Gander's demo model: an OpenAI-compatible endpoint on loopback, for goose to talk to where no real model is configured.
// It understands a few plain requests by pattern, and for them makes real tool calls with the tools goose offers it, so that a newcomer
// sees an agent ask, act and report. It does not think, keeps no state and reaches nothing; everything it knows is in the request.
//
// GET /v1/models, POST /v1/chat/completions (streaming and plain). `node demo-model.mjs` listens on a free port and prints it as a line.

import { randomUUID } from "node:crypto";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const BODY_LIMIT = 16 * 1024 * 1024;
const DELTA_MS = 15;
const ABILITIES = `I am Gander's **demo model**: a few rules, not a real language model. I act through goose's tools, in this project's own sandbox. Try:

- list the files
- write hello.txt saying hi
- read hello.txt
- run \`uname -a\`
- count to 20
- what did I say before?

To talk to a real model, give the host an \`OPENAI_API_KEY\` or \`ANTHROPIC_API_KEY\` and activate the project again.`;

const NAME = "[`\"']?([^\\s`\"']+?)[`\"']?";
const SAYING = "(?:saying|that says|which says|with the (?:text|content|words?)|with|containing|:)";

// What a request may ask for, the first match wins: a pattern and what to do with its groups.
const intents = [
  [/^(?:please\s+)?(?:run|execute|\$)(?:\s+the\s+command)?:?\s*(?:`+(?:\w*\n)?([^`]+?)`+|([^`\n]+))\s*[.!]?$/is, (quoted, bare) => call("shell", { command: (quoted ?? bare).trim() })],
  [new RegExp(`\\b(?:write|create|make|save)\\b(?:\\s+(?:me|a|an|the|new|text|file|called|named))*\\s+${NAME}\\s*${SAYING}\\s*(.+)$`, "is"), (path, content) => call("write", { path, content: unquote(content) })],
  [new RegExp(`\\b(?:write|put|save)\\s+(.+?)\\s+(?:in|into|to)\\s+(?:a |the )?(?:file )?(?:called |named )?${NAME}\\s*[.!]?$`, "is"), (content, path) => call("write", { path, content: unquote(content) })],
  [/\bcount\b.*?\bto\s+(\d{1,4})/i, (n) => ({ text: Array.from({ length: Math.min(Number(n), 1000) }, (_, i) => `${i + 1} `), ms: 50 })],
  [/\bwhat\b.*\b(?:did i|have i)\b.*\b(?:say|said|ask|asked|write|wrote)\b|\bdo you remember\b/i, (...groups) => recall(groups.at(-1))],
  [/\b(?:list|show|see|what)\b.*\b(?:files?|folders?|director(?:y|ies)|workspace|tree)\b(?:.*?\b(?:in|of|under)\s+(?:the\s+)?[`"']?([\w./-]*[\w/-])[`"']?)?|^(?:ls|tree)\s*([\w./-]*)$/i, (a, b) => call("tree", { path: directory(a || b) })],
  [new RegExp(`^(?:please\\s+)?(?:read|show|open|cat|print)(?:\\s+(?:me|the|file|contents?|of))*\\s+${NAME}\\s*[.!?]?$`, "i"), (path) => call("shell", { command: `cat -- '${path.replaceAll("'", "'\\''")}'` })],
];

function call(tool, input) {
  return { tool, input };
}

function unquote(text) {
  const trimmed = text.trim();
  return /^(["'`]).*\1$/s.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

// "the files in this directory" names no path.
function directory(word) {
  return !word || /^(?:this|here|your|my|current|workspace|sandbox|project|it|folder|directory)$/i.test(word) ? "." : word;
}

function recall(messages) {
  const earlier = userTexts(messages).slice(0, -1);
  if (earlier.length === 0) return { text: "This is the first thing you said to me here." };
  return { text: `You said ${earlier.length} thing${earlier.length > 1 ? "s" : ""} before:\n\n${earlier.map((text) => `- ${text}`).join("\n")}` };
}

// goose appends a block about time and place to what the user said.
function plainText(content) {
  const text = Array.isArray(content) ? content.map((part) => part?.text ?? "").join("\n") : String(content ?? "");
  return text.replace(/<turn-context>[\s\S]*?<\/turn-context>/g, "").trim();
}

function userTexts(messages) {
  return messages.filter((message) => message?.role === "user").map((message) => plainText(message.content)).filter(Boolean);
}

// The answer to a conversation: {text, ms?} or {tool, input}.
function answer({ messages, tools }) {
  const last = messages.findLast((message) => message?.role === "tool" || (message?.role === "user" && plainText(message.content)));
  if (last?.role === "tool") return { text: report(last, messages) };
  const said = last ? plainText(last.content) : "";
  // What was said before an interruption may stand above what is said now; only a text to write or a script has lines of its own.
  const text = /^(?:please\s+)?(?:write|create|make|save|put|run|execute)\b/i.test(said) ? said : said.split("\n").at(-1);
  for (const [pattern, act] of intents) {
    const match = pattern.exec(text);
    if (!match) continue;
    const reply = act(...match.slice(1), messages);
    if (!reply.tool) return reply;
    const offered = (tools ?? []).map((tool) => tool?.function?.name ?? "");
    const name = offered.find((one) => one === reply.tool) ?? offered.find((one) => one.endsWith(`__${reply.tool}`));
    if (!name) return { text: `For this I would use the tool \`${reply.tool}\`, but it is not offered to me: the session lacks goose's developer extension.` };
    return { tool: name, input: reply.input, text: `I will use the tool \`${reply.tool}\`. ` };
  }
  return { text: ABILITIES };
}

// Says in words what a tool did.
function report(result, messages) {
  const calls = messages.flatMap((message) => message?.tool_calls ?? []);
  const made = calls.findLast((one) => one.id === result.tool_call_id)?.function ?? { name: "tool", arguments: "{}" };
  let input = {};
  try {
    input = JSON.parse(made.arguments);
  } catch {
    // the result alone is reported
  }
  const output = plainText(result.content);
  const lines = output.split("\n");
  const block = output ? `\n\n\`\`\`\n${lines.slice(0, 60).join("\n")}${lines.length > 60 ? `\n… ${lines.length - 60} more lines` : ""}\n\`\`\`` : " It printed nothing.";
  const name = made.name.replace(/^.*__/, "");
  if (/\bdeclined to run\b|\bdenied\b/i.test(output)) return `You declined, so I did not use \`${name}\`. Nothing was changed.`;
  if (/skipped in goose chat mode/.test(output)) return `This session is in chat mode, so \`${name}\` did not run. In another mode I would have called it with \`${made.arguments}\`.`;
  if (/^error\b/i.test(output)) return `That did not work.${block}`;
  if (name === "shell") return /exited with code/.test(output) ? `I ran \`${input.command}\`, and it failed.${block}` : `I ran \`${input.command}\`.${block}`;
  if (name === "write") return `I wrote \`${input.path}\`.${block}`;
  if (name === "tree") return `These are the files in \`${input.path}\`.${block}`;
  return `The tool \`${name}\` answered.${block}`;
}

function completion({ text = "", tool, input }) {
  const pieces = Array.isArray(text) ? text : (text.match(/\s*\S+\s*/g) ?? []);
  const toolCalls = tool && [{ index: 0, id: `call_${randomUUID()}`, type: "function", function: { name: tool, arguments: JSON.stringify(input) } }];
  return { pieces, toolCalls, finish: tool ? "tool_calls" : "stop" };
}

async function complete(request, res) {
  const reply = answer(request);
  const { pieces, toolCalls, finish } = completion(reply);
  const count = (value) => Math.ceil(JSON.stringify(value ?? "").length / 4);
  const usage = { prompt_tokens: count(request.messages), completion_tokens: pieces.length + count(toolCalls) };
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
  const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: "demo" };
  if (!request.stream) {
    const message = { role: "assistant", content: pieces.join("") || null, ...(toolCalls && { tool_calls: toolCalls }) };
    return json(res, 200, { ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: finish }], usage });
  }
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = (delta, finish_reason = null) => res.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
  send({ role: "assistant", content: "" });
  for (const piece of pieces) {
    if (res.destroyed) return undefined;
    send({ content: piece });
    await sleep(reply.ms ?? DELTA_MS);
  }
  if (toolCalls) send({ tool_calls: toolCalls });
  send({}, finish);
  if (request.stream_options?.include_usage) res.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [], usage })}\n\n`);
  return res.end("data: [DONE]\n\n");
}

function json(res, status, value) {
  return res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

function refuse(res, status, message) {
  return json(res, status, { error: { message, type: "invalid_request_error" } });
}

async function handle(req, res) {
  const { pathname } = new URL(req.url, "http://localhost");
  if (req.method === "GET" && pathname === "/v1/models") return json(res, 200, { object: "list", data: [{ id: "demo", object: "model", owned_by: "gander" }] });
  if (req.method !== "POST" || pathname !== "/v1/chat/completions") return refuse(res, 404, `The demo model has no ${req.method} ${pathname}.`);
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    if ((size += chunk.length) > BODY_LIMIT) return refuse(res, 413, `The request is longer than ${BODY_LIMIT} bytes.`);
    chunks.push(chunk);
  }
  let request;
  try {
    request = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    return refuse(res, 400, `The request is not JSON: ${error.message}`);
  }
  if (!Array.isArray(request?.messages)) return refuse(res, 400, "messages is not a list.");
  return complete(request, res);
}

// Listens on a free loopback port and resolves with it. With unref it does not keep the process alive.
export async function startDemoModel({ unref = false } = {}) {
  const server = http.createServer((req, res) => handle(req, res).catch((error) => (res.headersSent ? res.destroy() : refuse(res, 400, error.message))));
  server.maxConnections = 64;
  if (unref) server.unref();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.stdout.write(`${await startDemoModel()}\n`);
