// SPDX-License-Identifier: Apache-2.0
//
// The demo model by itself: its two routes, and which plain requests become which tool calls.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { startDemoModel } from "../../../scripts/goose/demo-model.mjs";

const program = fileURLToPath(new URL("../../../scripts/goose/demo-model.mjs", import.meta.url));
const tools = ["shell", "write", "tree"].map((name) => ({ type: "function", function: { name } }));
const turn = "\n<turn-context>\n<working-directory>/workspace</working-directory>\n</turn-context>";
let base;

async function complete(body) {
  base ??= `http://127.0.0.1:${await startDemoModel({ unref: true })}`;
  return fetch(`${base}/v1/chat/completions`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
}

async function answer(messages, offered = tools) {
  const { choices } = await (await complete({ model: "demo", messages, tools: offered })).json();
  const call = choices[0].message.tool_calls?.[0].function;
  return { text: choices[0].message.content, finish: choices[0].finish_reason, call: call && [call.name, JSON.parse(call.arguments)] };
}

const said = (text) => [{ role: "system", content: "be a goose" }, { role: "user", content: text + turn }];

test("plain requests become tool calls", async () => {
  for (const [words, name, input] of [
    ["list the files", "tree", { path: "." }], ["List files", "tree", { path: "." }], ["what files are there?", "tree", { path: "." }], ["show me the files in src", "tree", { path: "src" }],
    ["ls", "tree", { path: "." }], ["list the files in this directory", "tree", { path: "." }], ["list the files, please", "tree", { path: "." }],
    ["write hello.txt saying hi", "write", { path: "hello.txt", content: "hi" }], ["Please create a file called notes/a.md with the text \"two words\"", "write", { path: "notes/a.md", content: "two words" }],
    ["write `a.txt`: one\ntwo", "write", { path: "a.txt", content: "one\ntwo" }], ["put good morning in greeting.txt", "write", { path: "greeting.txt", content: "good morning" }], ["create a file hello.txt that says hi there", "write", { path: "hello.txt", content: "hi there" }],
    ["run `uname -a`", "shell", { command: "uname -a" }], ["run uname -a", "shell", { command: "uname -a" }], ["please execute the command `ls | wc -l`.", "shell", { command: "ls | wc -l" }], ["$ date", "shell", { command: "date" }],
    ["read hello.txt", "shell", { command: "cat -- 'hello.txt'" }], ["show me hello.txt", "shell", { command: "cat -- 'hello.txt'" }],
  ]) {
    const { call, finish } = await answer(said(words));
    assert.deepEqual([call, finish], [[name, input], "tool_calls"], words);
  }
});

test("anything else is answered with what it can do", async () => {
  for (const words of ["help", "hello", "who are you?", "", "what is the weather like in Paris"]) {
    const { text, call, finish } = await answer(said(words));
    assert.deepEqual([call, finish], [undefined, "stop"], words);
    assert.match(text, /demo model/, words);
  }
});

test("a tool that is not offered is not called; one with a prefix is", async () => {
  assert.match((await answer(said("run `ls`"), [])).text, /not offered/);
  assert.deepEqual((await answer(said("run `ls`"), [{ type: "function", function: { name: "developer__shell" } }])).call, ["developer__shell", { command: "ls" }]);
});

test("a tool's result is told in words", async () => {
  const after = (name, input, content) => [
    ...said("do it"), { role: "assistant", tool_calls: [{ id: "c", type: "function", function: { name, arguments: JSON.stringify(input) } }] }, { role: "tool", tool_call_id: "c", content },
  ];
  assert.match((await answer(after("shell", { command: "date" }, "Monday"))).text, /I ran `date`[^]*Monday/);
  assert.match((await answer(after("shell", { command: "false" }, "(no output)\n\nCommand exited with code 1"))).text, /it failed/);
  assert.match((await answer(after("write", { path: "a" }, "Created a (1 line)"))).text, /I wrote `a`/);
  assert.match((await answer(after("write", { path: "a" }, "The user has declined to run this tool."))).text, /You declined/);
});

test("a stream comes in several deltas and ends with usage", async () => {
  const response = await complete({ model: "demo", stream: true, stream_options: { include_usage: true }, messages: said("help") });
  const frames = (await response.text()).split("\n\n").filter(Boolean).map((frame) => frame.replace(/^data: /, ""));
  assert.equal(frames.pop(), "[DONE]");
  const chunks = frames.map((frame) => JSON.parse(frame));
  assert.ok(chunks.filter((chunk) => chunk.choices[0]?.delta.content).length > 5);
  assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
  assert.ok(chunks.at(-1).usage.total_tokens > 0);
});

test("bad requests are refused and it lives on", async () => {
  for (const body of ["{", "[]", "7", "null", { messages: {} }]) assert.equal((await complete(body)).status, 400, JSON.stringify(body));
  for (const messages of [[], [null], [{ role: "user", content: [null, { text: "x" }] }], [{ role: "tool", content: 7 }]]) assert.equal((await complete({ messages })).status, 200, JSON.stringify(messages));
  assert.equal((await fetch(`${base}/v1/nothing`)).status, 404);
  assert.equal((await (await fetch(`${base}/v1/models`)).json()).data[0].id, "demo");
});

test("as a program it prints its port", async (t) => {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  const port = await new Promise((resolve) => child.stdout.once("data", (data) => resolve(Number(data))));
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/models`)).status, 200);
});
