#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// The Goose API server: contract v1, spoken by Gander to the agent inside a sandbox. One file, Node >= 20, no packages.
//
// It owns the sessions, their runs, their open permission questions and the event ring of each session. An engine does the talking:
//   goose  a child `goose acp` (JSON-RPC over stdio). Native ids of goose never leave this file: they are reused after a delete.
//   echo   no model and no tools, for tests and for machines without the binary. It streams your text back, and knows
//          /slow N   N words, one each 50 ms          /permission   asks before a pretended tool call
//          /tool N   a pretended tool of N seconds    /big N        a tool output of N bytes
//          /history  what it remembers                /fail         the run fails      /crash   as if the engine had died
//
// Environment                                                                                                     default
//   GOOSE_API_PORT or PORT, GOOSE_API_HOST      where to listen (port 0: any free one; the first log line says)    3001, 127.0.0.1
//   GOOSE_API_TOKEN_SHA256, GOOSE_API_TOKEN     the bearer token's SHA-256 in hex, or the token itself             one is needed
//   GOOSE_API_UNSAFE_NO_TOKEN=1                 serve without a token; for tests
//   GOOSE_API_ENGINE                            auto (goose when found) | goose | echo                             auto
//   GOOSE_API_CWD, GOOSE_API_MODE               working directory and permission mode of new sessions              process cwd, approve
//   GOOSE_API_PERMISSION_S                      seconds until an unanswered question is rejected                   600
//   GOOSE_API_RUN_S                             seconds a run may take                                             7200
//   GOOSE_API_MAX_RUNS, GOOSE_API_MAX_SESSIONS  bounds                                                             8, 200
//   GOOSE_BIN                                   the goose binary, else `goose` of PATH
//   GOOSE_PATH_ROOT                             goose's files; our session files lie in its directory `api`        ~/.goose-api
//   GOOSE_PROVIDER, GOOSE_MODEL, OPENAI_*, ANTHROPIC_*, ...  the model, read by goose itself; without any, the demo model is used
//   GOOSE_MODEL_SOCKET                          model gateway: a loopback port is piped to this Unix socket, and OPENAI_HOST and
//                                               ANTHROPIC_HOST become http://127.0.0.1:<port>/model/openai and .../model/anthropic
//                                               (goose 1.52 keeps the base path and adds /v1/chat/completions, /v1/responses,
//                                               /v1/models or /v1/messages)
// The goose child inherits this environment without GOOSE_API_*.
//
// Events of a session are numbered for ever (`first_seq` continues an older server's numbers). A reader that asks for an event no longer
// held gets `reset` and reads `GET /sessions/{id}`, whose `seq` says which events it already contains. A `tool_update` that is
// `in_progress` carries the tail of the output so far, the last one all that is kept of it; each replaces the one before.

import { spawn } from "node:child_process";
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const env = process.env;
const API_VERSION = 1;
const BODY_LIMIT = 1024 * 1024;
const RING_EVENTS = 4000;
const RING_BYTES = 8 * 1024 * 1024;
const MESSAGES_KEPT = 1000;
const MESSAGES_SIZE = 4 * 1024 * 1024; // in characters; the oldest go, the host has them all
const MESSAGE_SIZE = 256 * 1024; // a longer answer is continued in a further message
const OUTPUT_KEPT = 64 * 1024;
const OUTPUT_LIVE = 8 * 1024;
const INPUT_LIMIT = 256 * 1024; // a tool call whose input cannot be shown whole is refused
const SUBSCRIBER_BACKLOG = 8 * 1024 * 1024;
const STREAM_LIMIT = 64;
const PING_MS = 10_000;
const CANCEL_GRACE_MS = 5_000;
const MODES = ["approve", "smart_approve", "auto", "chat"];
const DECISIONS = ["allow_once", "allow_always", "reject_once", "reject_always"];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const config = {
  port: envNumber(env.GOOSE_API_PORT !== undefined ? "GOOSE_API_PORT" : "PORT", 3001, 0, 65535),
  host: env.GOOSE_API_HOST || "127.0.0.1",
  tokenHash: tokenHash(),
  engine: envWord("GOOSE_API_ENGINE", "auto", ["auto", "goose", "echo"]),
  mode: envWord("GOOSE_API_MODE", "approve", MODES),
  cwd: path.resolve(env.GOOSE_API_CWD || process.cwd()),
  permissionMs: 1000 * envNumber("GOOSE_API_PERMISSION_S", 600, 0.1, 86_400),
  runMs: 1000 * envNumber("GOOSE_API_RUN_S", 7200, 1, 86_400),
  maxRuns: envNumber("GOOSE_API_MAX_RUNS", 8, 1, 1000),
  maxSessions: envNumber("GOOSE_API_MAX_SESSIONS", 200, 1, 10_000),
  root: path.resolve(env.GOOSE_PATH_ROOT || path.join(os.homedir(), ".goose-api")),
};
const instanceId = randomUUID();
const startedAt = Date.now();
const sessions = new Map(); // id -> Session
let engine;
let stopping = false;

function envNumber(name, fallback, min, max) {
  if (env[name] === undefined || env[name] === "") return fallback;
  const n = Number(env[name]);
  if (!(n >= min && n <= max)) refuseStart(`${name}=${env[name]} is not a number from ${min} to ${max}`);
  return n;
}

function envWord(name, fallback, words) {
  const word = env[name] || fallback;
  if (!words.includes(word)) refuseStart(`${name}=${word} is none of ${words.join(", ")}`);
  return word;
}

function tokenHash() {
  if (env.GOOSE_API_TOKEN_SHA256) {
    if (!/^[0-9a-fA-F]{64}$/.test(env.GOOSE_API_TOKEN_SHA256)) refuseStart("GOOSE_API_TOKEN_SHA256 is not 64 hexadecimal digits");
    return Buffer.from(env.GOOSE_API_TOKEN_SHA256, "hex");
  }
  if (env.GOOSE_API_TOKEN) return sha256(env.GOOSE_API_TOKEN);
  if (env.GOOSE_API_UNSAFE_NO_TOKEN === "1") return null;
  return refuseStart("no bearer token: set GOOSE_API_TOKEN_SHA256 or GOOSE_API_TOKEN");
}

function refuseStart(reason) {
  process.stderr.write(`goose-api: ${reason}\n`);
  process.exit(2);
}

function sha256(text) {
  return createHash("sha256").update(text).digest();
}

function now() {
  return new Date().toISOString();
}

function firstLine(text, max) {
  const line = text.trim().split("\n", 1)[0];
  return line.length > max ? `${[...line.slice(0, max)].slice(0, -1).join("")}…` : line;
}

// Cuts at a UTF-8 boundary: a continuation byte never opens the tail nor ends the head incomplete.
function headBytes(buffer, size) {
  let end = Math.min(size, buffer.length);
  while (end > 0 && end < buffer.length && (buffer[end] & 0xc0) === 0x80) end--;
  return buffer.toString("utf8", 0, end);
}

function tailBytes(buffer, size) {
  let begin = Math.max(0, buffer.length - size);
  while (begin < buffer.length && (buffer[begin] & 0xc0) === 0x80) begin++;
  return buffer.toString("utf8", begin);
}

// Start and end of a long output are what a reader needs, so the middle goes.
function shorten(text) {
  const buffer = Buffer.from(text, "utf8");
  if (buffer.length <= OUTPUT_KEPT) return { output: buffer.toString("utf8"), truncated: false };
  const note = `\n[${buffer.length - OUTPUT_KEPT + 64} bytes left out]\n`;
  const room = OUTPUT_KEPT - 64;
  return { output: headBytes(buffer, room / 2) + note + tailBytes(buffer, room / 2), truncated: true };
}

class ApiError extends Error {
  constructor(status, code, message, more = {}) {
    super(message);
    Object.assign(this, { status, code, more });
  }
}

// Why a run failed, as its `error` event says it.
class RunError extends Error {
  constructor(code, message, retryable) {
    super(message);
    Object.assign(this, { code, retryable });
  }
}

// ---- the server's own log: stdout, and the last lines for GET /log ----

class Log {
  constructor() {
    this.lines = []; // {offset, at, stream, text}; offset counts lines, from 1
    this.bytes = 0;
    this.offset = 0;
    this.readers = new Set();
    this.secrets = Object.entries(env)
      .filter(([name, value]) => /KEY|TOKEN|SECRET|PASSWORD/i.test(name) && value.length >= 8)
      .map(([, value]) => value);
  }

  event(text, fields = {}, level = "INFO") {
    const more = Object.entries(fields).map(([k, v]) => ` ${k}=${/^[\w.:/@-]+$/.test(String(v)) ? v : JSON.stringify(v)}`);
    this.write("stdout", `${level} ${text}${more.join("")}`);
  }

  warn(text, fields) {
    this.event(text, fields, "WARN");
  }

  write(stream, text) {
    let line = headBytes(Buffer.from(text), 16 * 1024);
    for (const secret of this.secrets) line = line.replaceAll(secret, "***");
    const entry = { offset: ++this.offset, at: now(), stream, text: line };
    this.lines.push(entry);
    this.bytes += line.length;
    while (this.lines.length > 10_000 || this.bytes > 2 * 1024 * 1024) this.bytes -= this.lines.shift().text.length;
    process[stream].write(`${entry.at} ${line}\n`);
    for (const reader of this.readers) reader(entry);
  }
}

const log = new Log();

// ---- sessions ----

class Session {
  constructor(fields) {
    this.id = fields.id;
    this.title = fields.title ?? "";
    this.cwd = fields.cwd ?? config.cwd;
    this.mode = fields.mode ?? config.mode;
    this.native = fields.native ?? null; // the engine's own id, once it has one
    this.memory = fields.memory ?? "live";
    this.messages = fields.messages ?? [];
    this.messageCount = fields.message_count ?? this.messages.length;
    this.createdAt = fields.created_at ?? now();
    this.updatedAt = fields.updated_at ?? this.createdAt;
    this.seq = fields.seq ?? 0; // of the last event
    this.interrupted = false;
    this.run = null; // the one that goes on
    this.runs = new Map(); // message_id -> Run, the last ones
    this.permissions = new Map(); // permission_id -> Permission, the last ones
    this.ring = [];
    this.ringBytes = 0;
    this.readers = new Set();
    this.deleted = false;
  }

  get status() {
    if (this.run) return this.run.openPermissions().length > 0 ? "waiting_permission" : "running";
    return this.interrupted ? "interrupted" : "idle";
  }

  view() {
    const last = this.messages.at(-1);
    const text = last?.parts.findLast((part) => typeof part.text === "string")?.text;
    return {
      id: this.id,
      title: this.title,
      status: this.status,
      mode: this.mode,
      cwd: this.cwd,
      engine: engine.name,
      model: engine.model,
      memory: this.memory,
      run: this.run?.view() ?? null,
      pending_permissions: this.run?.openPermissions().map((p) => p.view()) ?? [],
      message_count: this.messageCount,
      ...(text !== undefined && { last_message: firstLine(text, 200) }),
      seq: this.seq,
      created_at: this.createdAt,
      updated_at: this.updatedAt,
    };
  }

  emit(type, payload, run = null) {
    const data = { seq: ++this.seq, session_id: this.id, ...(run && { run_id: run.id }), ts: now(), ...payload };
    const event = { seq: data.seq, type, run: run?.id, frame: `id: ${data.seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n` };
    this.ring.push(event);
    this.ringBytes += event.frame.length;
    while (this.ring.length > RING_EVENTS || (this.ringBytes > RING_BYTES && this.ring.length > 1)) this.ringBytes -= this.ring.shift().frame.length;
    this.updatedAt = data.ts;
    for (const reader of this.readers) reader(event);
  }

  add(message) {
    this.messages.push(message);
    this.messageCount++;
    if (this.messages.length > MESSAGES_KEPT) this.messages.shift();
  }

  notice(kind, text, run = null) {
    const message = { id: randomUUID(), role: "notice", created_at: now(), parts: [{ type: "notice", kind, text }], status: "complete", model: engine.model };
    this.add(message);
    this.emit("message", { message }, run);
  }

  restored() {
    this.memory = "restored";
    this.notice("memory_restored", "The agent was started anew and was given this conversation again.", this.run);
  }

  file() {
    return path.join(config.root, "api", `${this.id}.json`);
  }

  save() {
    if (this.deleted) return;
    const texts = this.messages.map((message) => JSON.stringify(message));
    let size = texts.reduce((sum, text) => sum + text.length, 0);
    while (size > MESSAGES_SIZE && texts.length > 2) {
      size -= texts.shift().length;
      this.messages.shift();
    }
    const fields = {
      id: this.id, title: this.title, cwd: this.cwd, mode: this.mode, native: this.native, memory: this.memory, seq: this.seq, running: this.run !== null,
      message_count: this.messageCount, created_at: this.createdAt, updated_at: this.updatedAt,
    };
    try {
      writeFileSync(`${this.file()}.new`, `${JSON.stringify(fields).slice(0, -1)},"messages":[${texts.join(",")}]}`, { mode: 0o600 });
      renameSync(`${this.file()}.new`, this.file());
    } catch (error) {
      log.warn("session not saved", { session: this.id, error: error.message });
    }
  }

  async remove() {
    if (this.run) {
      const run = this.run;
      run.cancel();
      await run.finished;
    }
    this.deleted = true;
    sessions.delete(this.id);
    for (const reader of this.readers) reader(null);
    rmSync(this.file(), { force: true });
    await engine.forget(this);
  }
}

// What an earlier process of this sandbox left. A run it did not finish is marked, and the numbers leap over what it may have sent unsaved.
function loadSessions() {
  const directory = path.join(config.root, "api");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(".json")) continue;
    try {
      const fields = JSON.parse(readFileSync(path.join(directory, name), "utf8"));
      const session = new Session(fields);
      if (fields.running) {
        session.seq += 1_000_000;
        session.interrupted = true;
        session.notice("interrupted", "The agent's server was restarted while this answer was being written.");
      }
      sessions.set(session.id, session);
    } catch (error) {
      log.warn("session file not read", { name, error: error.message });
    }
  }
}

// ---- runs ----

class Permission {
  constructor(run, tool, cwd) {
    this.id = randomUUID();
    this.run = run;
    this.tool = tool;
    this.cwd = cwd;
    this.expiresAt = new Date(Date.now() + config.permissionMs).toISOString();
    this.by = null; // who decided
    this.decided = new Promise((resolve) => (this.settle = resolve));
    this.timer = setTimeout(() => this.resolve("reject_once", "timeout"), config.permissionMs);
  }

  view() {
    const { tool_call_id, name, title, input } = this.tool;
    return { permission_id: this.id, tool_call_id, name, title, input, cwd: this.cwd, options: DECISIONS, expires_at: this.expiresAt };
  }

  resolve(decision, by) {
    if (this.by) return;
    this.by = by;
    clearTimeout(this.timer);
    this.tool.permission = { decision, by, at: now() };
    this.run.emit("permission_resolved", { message_id: this.run.message?.id, permission_id: this.id, tool_call_id: this.tool.tool_call_id, decision, by });
    this.settle(decision);
  }
}

class Run {
  constructor(session, messageId, content) {
    this.id = randomUUID();
    this.session = session;
    this.messageId = messageId;
    this.content = content;
    this.startedAt = now();
    this.firstSeq = session.seq + 1;
    this.message = null; // the assistant's message being written
    this.size = 0; // of that message, in characters
    this.pending = null; // text not sent yet: {type, text}
    this.tools = new Map(); // the engine's id of a tool call -> its part; our own ids are unique, theirs need not be
    this.live = new Map(); // part of a running tool -> {text, at}: its output so far, and when that was last sent
    this.permissions = [];
    this.cancelled = false;
    this.timedOut = false;
    this.abort = new AbortController();
    this.finished = new Promise((resolve) => (this.settle = resolve));
    this.done = false;
  }

  view() {
    return { run_id: this.id, message_id: this.messageId, started_at: this.startedAt };
  }

  openPermissions() {
    return this.permissions.filter((permission) => !permission.by);
  }

  emit(type, payload) {
    this.flush();
    this.session.emit(type, payload, this);
  }

  async drive() {
    const { session } = this;
    session.run = this;
    session.interrupted = false;
    session.runs.set(this.messageId, this);
    if (session.runs.size > 50) session.runs.delete(session.runs.keys().next().value);
    const message = { id: this.messageId, role: "user", created_at: this.startedAt, parts: [{ type: "text", text: this.content }], status: "complete", model: engine.model };
    this.emit("run_started", { message_id: this.messageId });
    session.add(message);
    this.emit("message", { message });
    if (!session.title) {
      session.title = firstLine(this.content, 60);
      this.emit("session_updated", { title: session.title });
    }
    session.save();
    log.event("run started", { run: this.id, session: session.id });
    const deadline = setTimeout(() => {
      this.timedOut = true;
      this.cancel();
    }, config.runMs);
    let outcome;
    try {
      outcome = await engine.prompt(this);
    } catch (error) {
      outcome = { error: error instanceof RunError ? error : new RunError("internal", error.message, true) };
    }
    clearTimeout(deadline);
    this.finish(outcome);
  }

  // Text is sent in pieces of about 25 ms: one event a token would push an hour's work out of the ring.
  text(text, type = "text") {
    if (this.done || text === "") return;
    const part = this.part(type);
    part.text += text;
    this.size += text.length;
    if (this.pending?.type !== type) this.flush();
    this.pending ??= { type, text: "", timer: setTimeout(() => this.flush(), 25) };
    this.pending.text += text;
  }

  part(type) {
    if (this.size > MESSAGE_SIZE && this.openTools().length === 0) this.endMessage("complete");
    if (!this.message) {
      this.message = { id: randomUUID(), role: "assistant", created_at: now(), parts: [], status: "partial", model: engine.model };
      this.session.add(this.message);
      this.size = 0;
    }
    let part = this.message.parts.at(-1);
    if (type === "tool" || part?.type !== type) {
      part = type === "tool" ? { type } : { type, text: "" };
      this.message.parts.push(part);
      this.size += 200; // so that the number of parts has a bound too
    }
    return part;
  }

  flush() {
    if (!this.pending) return;
    const { type, text, timer } = this.pending;
    clearTimeout(timer);
    this.pending = null;
    this.session.emit(type === "thought" ? "thought_delta" : "message_delta", { message_id: this.message.id, role: "assistant", text }, this);
  }

  tool(nativeId, { name, title, input }) {
    if (this.done) return null;
    const part = this.part("tool");
    const long = JSON.stringify(input ?? {}).length > INPUT_LIMIT;
    Object.assign(part, {
      tool_call_id: randomUUID(), name, title: firstLine(title || name, 200), input: long ? { note: `longer than ${INPUT_LIMIT} characters` } : (input ?? {}),
      status: "pending", started_at: now(), truncated: long,
    });
    this.tools.set(nativeId, part);
    this.size += long ? 100 : JSON.stringify(part.input).length;
    this.emit("tool_call", { message_id: this.message.id, tool_call_id: part.tool_call_id, name, title: part.title, input: part.input, status: part.status, started_at: part.started_at });
    return part;
  }

  openTools() {
    return [...this.tools.values()].filter((part) => !part.ended_at);
  }

  // Live output of a running tool, at most twice a second; the end brings all that is kept.
  toolOutput(nativeId, text) {
    const part = this.tools.get(nativeId);
    if (!part || part.ended_at || this.done) return;
    const live = this.live.get(part) ?? { text: "", at: 0 };
    this.live.set(part, live);
    live.text = tailBytes(Buffer.from(live.text + text), OUTPUT_LIVE);
    part.status = "in_progress";
    if (Date.now() - live.at < 500) return;
    live.at = Date.now();
    this.emit("tool_update", { message_id: this.message.id, tool_call_id: part.tool_call_id, status: part.status, output: live.text, truncated: false });
  }

  toolEnd(nativeId, status, text) {
    const part = this.tools.get(nativeId);
    if (!part || part.ended_at || this.done) return;
    const { output, truncated } = shorten(text);
    Object.assign(part, { status, output, ended_at: now(), truncated: part.truncated || truncated });
    this.size += output.length;
    this.emit("tool_update", { message_id: this.message.id, tool_call_id: part.tool_call_id, status, output, truncated: part.truncated, ended_at: part.ended_at });
  }

  // Resolves with one of DECISIONS, or "cancelled".
  async ask(nativeId, call) {
    if (this.cancelled || this.done) return "cancelled";
    const part = this.tools.get(nativeId) ?? this.tool(nativeId, call);
    if (part.truncated) return "reject_once"; // nobody can judge what cannot be shown
    const permission = new Permission(this, part, this.session.cwd);
    this.permissions.push(permission);
    this.session.permissions.set(permission.id, permission);
    if (this.session.permissions.size > 500) this.session.permissions.delete(this.session.permissions.keys().next().value);
    this.emit("permission_request", permission.view());
    return permission.decided;
  }

  // Open questions are answered before the engine hears of it: goose does not end a turn that waits for one.
  cancel() {
    if (this.cancelled || this.done) return false;
    this.cancelled = true;
    for (const permission of this.openPermissions()) permission.resolve("cancelled", "cancel");
    this.abort.abort();
    engine.cancel(this);
    log.event("run cancelled", { run: this.id });
    return true;
  }

  endMessage(status) {
    if (!this.message) return;
    const { message } = this;
    message.status = status;
    this.emit("message", { message });
    this.message = null;
    this.tools.clear();
    this.live.clear();
  }

  finish({ error, usage, stopped }) {
    if (this.done) return;
    if (this.timedOut) error = new RunError("run_timeout", `The run took longer than ${config.runMs / 1000} s.`, true);
    else if (this.cancelled) error = undefined;
    const status = error ? "failed" : this.cancelled || stopped ? "cancelled" : "completed";
    for (const permission of this.openPermissions()) permission.resolve("cancelled", "cancel");
    for (const [nativeId, part] of this.tools) {
      if (!part.ended_at) this.toolEnd(nativeId, "failed", this.live.get(part)?.text || (error ? "The engine ended before this tool did." : "Cancelled."));
    }
    this.endMessage({ completed: "complete", cancelled: "partial", failed: "failed" }[status]);
    if (error) this.emit("error", { code: error.code, message: error.message, retryable: error.retryable });
    this.session.run = null;
    this.emit("run_finished", { status, ...(usage && { usage }) });
    this.done = true;
    this.session.save();
    log.event("run finished", { run: this.id, status, ...(error && { code: error.code }) });
    this.settle(status);
  }
}

// ---- engine "echo" ----

class EchoEngine {
  name = "echo";
  version = String(API_VERSION);
  model = { name: "echo", demo: true };

  async start() {}
  async stop() {}
  async change() {}
  async forget() {}
  cancel() {}

  health() {
    return { status: "ok", can_chat: true };
  }

  async open(session) {
    session.restored();
  }

  async prompt(run) {
    const [, word = "", argument = ""] = /^\/(\w+)\s*(.*)$/s.exec(run.content) ?? [];
    const n = Number(argument) || 0;
    const pause = (ms) => sleep(ms, undefined, { signal: run.abort.signal });
    if (word === "fail") throw new RunError("model_error", "The echo engine was asked to fail.", true);
    if (word === "slow") {
      for (let i = 1; i <= n; i++) {
        run.text(`${i} `);
        await pause(50);
      }
    } else if (word === "crash") {
      run.text("about to ");
      await pause(50);
      throw new RunError("engine_restarted", "The engine ended unexpectedly and was started again.", true);
    } else if (word === "permission" || word === "tool" || word === "big") {
      run.text("I will use a tool. ");
      run.tool("t", { name: "pretend", title: `pretend ${argument}`, input: { argument } });
      const decision = word === "permission" ? await run.ask("t") : "allow_once";
      if (decision === "cancelled") return {};
      if (word === "tool") {
        run.toolOutput("t", "started\n");
        await pause(n * 1000);
      }
      const allowed = decision.startsWith("allow");
      run.toolEnd("t", allowed ? "completed" : "failed", word === "big" ? "é".repeat(n / 2) : allowed ? "done" : "The user has declined to run this tool.");
      run.text(allowed ? "The tool ran." : "The tool was declined.");
    } else if (word === "history") {
      const earlier = run.session.messages.filter((m) => m.role === "user").slice(0, -1);
      run.text(`I remember ${earlier.length} messages: ${earlier.map((m) => m.parts[0].text).join(" | ")}`);
    } else {
      for (const piece of run.content.match(new RegExp(`.{1,${Math.ceil(run.content.length / 4)}}`, "gsu"))) {
        run.text(piece);
        await pause(30);
      }
    }
    return { usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } };
  }
}

// ---- engine "goose" ----

// JSON-RPC 2.0 over the stdio of a child, one message a line.
class Acp {
  static LINE_LIMIT = 32 * 1024 * 1024;

  constructor(child, { onNotify, onRequest }) {
    Object.assign(this, { child, onNotify, onRequest });
    this.nextId = 0;
    this.calls = new Map(); // id -> {resolve, reject, timer}
    this.buffered = [];
    this.bufferedBytes = 0;
    this.closed = false;
    child.stdin.on("error", () => {}); // its death is told by "exit"
    child.stdout.on("data", (data) => this.read(data));
  }

  read(data) {
    let begin = 0;
    for (let end; (end = data.indexOf(10, begin)) >= 0; begin = end + 1) {
      const line = Buffer.concat([...this.buffered, data.subarray(begin, end)]).toString("utf8");
      this.buffered = [];
      this.bufferedBytes = 0;
      if (line.trim()) this.dispatch(line);
    }
    if (begin < data.length) this.buffered.push(data.subarray(begin));
    this.bufferedBytes += data.length - begin;
    if (this.bufferedBytes > Acp.LINE_LIMIT) this.child.kill("SIGKILL");
  }

  dispatch(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      return log.warn("goose said no JSON", { line: firstLine(line, 200) });
    }
    if (message.method !== undefined) {
      if (message.id === undefined) return this.onNotify(message.method, message.params ?? {});
      return this.onRequest(message.method, message.params ?? {}).then(
        (result) => this.send({ id: message.id, result }),
        (error) => this.send({ id: message.id, error: { code: error.code ?? -32603, message: error.message } }),
      );
    }
    const call = this.calls.get(message.id);
    if (!call) return log.warn("goose answered what was not asked", { line: firstLine(line, 200) });
    this.calls.delete(message.id);
    clearTimeout(call.timer);
    if (message.error) return call.reject(new AcpError(message.error));
    return call.resolve(message.result ?? {});
  }

  send(message) {
    if (!this.closed) this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  notify(method, params) {
    this.send({ method, params });
  }

  // timeoutMs 0: as long as the child lives (a prompt; its run has a deadline of its own).
  call(method, params, timeoutMs = 30_000) {
    if (this.closed) return Promise.reject(new AcpError({ code: "closed", message: "goose is not running" }));
    return new Promise((resolve, reject) => {
      const id = ++this.nextId;
      const timer = timeoutMs > 0 && setTimeout(() => {
        this.calls.delete(id);
        reject(new AcpError({ code: "timeout", message: `goose did not answer ${method} in ${timeoutMs / 1000} s` }));
      }, timeoutMs);
      this.calls.set(id, { resolve, reject, timer });
      this.send({ id, method, params });
    });
  }

  close() {
    this.closed = true;
    for (const call of this.calls.values()) {
      clearTimeout(call.timer);
      call.reject(new AcpError({ code: "closed", message: "goose ended" }));
    }
    this.calls.clear();
  }
}

class AcpError extends Error {
  constructor({ code, message, data }) {
    super(typeof data === "string" ? `${message}: ${data}` : message);
    this.code = code;
  }
}

const NO_SUCH_SESSION = -32002;
const KEY_REFUSED = -32000;

const DEVELOPER_ONLY = {
  "enabled_extensions.v0": {
    extensions: [{ type: "platform", name: "developer", description: "Write and edit files, and execute shell commands", display_name: "Developer", bundled: true }],
  },
};

// goose says in words of its own, as the last piece of the answer, that the model failed, and then ends the turn as if all were well.
const MODEL_FAILED = /^(?:Ran into this error|Network error)[^]*(?=\n\nPlease re(?:try if|send your))|^The model returned an empty response\.(?= Please resend)|^Unable to continue: Context limit [^]*/;

class GooseEngine {
  name = "goose";
  version = "";
  model = { name: "", demo: false };

  constructor(binary) {
    this.binary = binary;
    this.acp = null; // set while the child answers
    this.child = null;
    this.failures = 0; // starts that failed in a row
    this.reason = "goose is starting"; // why it cannot chat, else null
    this.extensionData = DEVELOPER_ONLY; // what a new session of this goose has; a restored one gets the same
    this.loaded = new Set(); // native ids the child knows
    this.active = new Map(); // native id -> Run
    this.opening = new Map(); // Session -> promise, so that two callers do not make two native sessions
    this.waiters = new Set();
    this.wasUp = false;
    this.stopping = false;
  }

  async start() {
    const { name, demo, variables, problem } = await chooseModel();
    this.model = { name, demo };
    this.problem = problem;
    this.variables = variables;
    this.spawn();
  }

  spawn() {
    const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GOOSE_API_")));
    const child = spawn(this.binary, ["acp"], {
      cwd: config.cwd,
      detached: true, // its own process group, which is killed whole
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...inherited, ...this.variables,
        GOOSE_PATH_ROOT: config.root, GOOSE_DISABLE_KEYRING: "1", GOOSE_TELEMETRY_ENABLED: "false", GOOSE_MODE: "approve", GOOSE_DISABLE_SESSION_NAMING: "true",
      },
    });
    this.child = child;
    const acp = new Acp(child, { onNotify: (method, params) => this.notified(method, params), onRequest: (method, params) => this.requested(method, params) });
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop().slice(0, 16 * 1024);
      for (const line of lines) log.write("stderr", `goose: ${line}`);
    });
    const bornAt = Date.now();
    child.on("error", (error) => log.warn("goose cannot be started", { error: error.message }));
    child.on("exit", () => killGroup(child)); // its tools may hold its pipes
    child.on("close", (code, signal) => this.ended(acp, code ?? signal, Date.now() - bornAt));
    this.greet(acp).catch((error) => {
      log.warn("goose did not start", { error: error.message });
      killTree(child);
    });
  }

  async greet(acp) {
    const hello = await acp.call("initialize", {
      protocolVersion: 1, clientInfo: { name: "gander", version: String(API_VERSION) },
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false, _meta: { goose: { customNotifications: true } } },
    });
    this.version = hello.agentInfo?.version ?? "";
    let reason = this.problem ?? null;
    if (!reason) {
      // A session that is made and deleted again shows which extensions a session has here, and whether provider and model resolve: goose
      // makes one without them too, but does not let its model be set.
      try {
        const { sessionId } = await acp.call("session/new", { cwd: config.cwd, mcpServers: [], _meta: { client: "gander" } });
        const { data } = await acp.call("_goose/unstable/session/export", { sessionId });
        this.extensionData = JSON.parse(data).extension_data ?? DEVELOPER_ONLY;
        await acp.call("session/set_config_option", { sessionId, configId: "model", value: this.model.name });
        await acp.call("session/delete", { sessionId });
      } catch (error) {
        if (acp.closed) throw error;
        reason = this.explain(error).message;
      }
    }
    this.acp = acp;
    this.wasUp = true;
    this.reason = reason;
    log.event("goose is up", { version: this.version, pid: acp.child.pid, model: this.model.name, demo: this.model.demo, ...(this.reason && { cannot_chat: this.reason }) });
    for (const wake of this.waiters) wake();
  }

  ended(acp, cause, livedMs) {
    this.acp = null;
    this.loaded.clear();
    this.active.clear();
    acp.close();
    if (this.stopping) return;
    this.failures = livedMs > 60_000 ? 1 : this.failures + 1; // one that was up for a minute had no fault of its own
    this.reason = `goose ended (${cause}) and is being started again`;
    const delay = Math.min(30_000, 1000 * 2 ** (this.failures - 1));
    log.warn("goose ended", { cause, again_in_ms: delay });
    this.respawn = setTimeout(() => this.spawn(), delay);
  }

  async stop() {
    this.stopping = true;
    clearTimeout(this.respawn);
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.stdin.end();
    const timer = setTimeout(() => killTree(child), 500);
    await gone;
    clearTimeout(timer);
  }

  health() {
    const status = this.acp ? "ok" : this.wasUp || this.failures > 0 ? "degraded" : "starting";
    return { status, can_chat: this.reason === null, dead: !this.acp && this.failures >= 4, ...(this.reason && { reason: this.reason }) };
  }

  async ready(signal) {
    if (this.acp) return this.acp;
    await new Promise((resolve, reject) => {
      const end = (act, value) => {
        clearTimeout(timer);
        this.waiters.delete(wake);
        act(value);
      };
      const wake = () => end(resolve);
      const timer = setTimeout(() => end(reject, new RunError("engine_unavailable", this.reason, true)), 30_000);
      signal?.addEventListener("abort", () => end(reject, new RunError("cancelled", "cancelled", true)), { once: true });
      this.waiters.add(wake);
    });
    return this.acp;
  }

  // Gives the session a native one that the child has loaded, in the right mode. Messages the child does not know are imported.
  open(session, signal) {
    let opening = this.opening.get(session);
    if (!opening) {
      opening = this.openNow(session, signal).finally(() => this.opening.delete(session));
      this.opening.set(session, opening);
    }
    return opening;
  }

  async openNow(session, signal) {
    const acp = await this.ready(signal);
    const place = { cwd: session.cwd, mcpServers: [] };
    const load = async () => (await acp.call("session/load", { sessionId: session.native, ...place })).modes?.currentModeId;
    let mode = session.mode;
    if (session.native && !this.loaded.has(session.native)) {
      mode = await load().catch((error) => {
        if (error.code !== NO_SUCH_SESSION) throw error;
        session.native = null;
      });
    }
    if (!session.native) {
      const history = conversation(session);
      if (history.length > 0) {
        await this.restore(acp, session, history);
        if (session.native) mode = await load();
      }
      if (!session.native) {
        const made = await acp.call("session/new", { ...place, _meta: { client: "gander" } });
        session.native = made.sessionId;
        mode = made.modes?.currentModeId;
      }
    }
    if (mode !== session.mode) await acp.call("session/set_mode", { sessionId: session.native, modeId: session.mode });
    this.loaded.add(session.native);
    // Should goose have lost its database, it gives the ids out again: nobody else may keep this one.
    for (const other of sessions.values()) if (other !== session && other.native === session.native) other.native = null;
    session.save();
    return acp;
  }

  async restore(acp, session, history) {
    const at = new Date().toISOString();
    const input = JSON.stringify({
      id: "restored", working_dir: session.cwd, name: session.title || "Restored", created_at: session.createdAt, updated_at: at,
      goose_mode: session.mode, extension_data: this.extensionData, message_count: history.length, conversation: history,
    });
    try {
      const { sessionId } = await acp.call("_goose/unstable/session/import", { input, source: "json" });
      session.native = sessionId;
      session.restored();
    } catch (error) {
      if (acp.closed) throw error;
      session.memory = "lost";
      log.warn("history not restored", { session: session.id, error: error.message });
      session.notice("memory_lost", "The agent was started anew and could not be given this conversation again; it does not remember it.", session.run);
    }
  }

  async prompt(run) {
    const { session } = run;
    if (this.problem) throw new RunError("provider_not_configured", this.problem, false);
    try {
      const acp = await this.open(session, run.abort.signal);
      if (run.cancelled) return {};
      this.active.set(session.native, run);
      const { stopReason, usage } = await acp.call("session/prompt", { sessionId: session.native, prompt: [{ type: "text", text: run.content }] }, 0);
      if (run.modelError) throw new RunError("model_error", run.modelError, true);
      if (!run.cancelled && stopReason === "end_turn") this.reason = null;
      return {
        stopped: stopReason === "cancelled",
        usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, total_tokens: usage.totalTokens },
      };
    } catch (error) {
      throw this.explain(error);
    } finally {
      clearTimeout(run.killTimer);
      if (this.active.get(session.native) === run) this.active.delete(session.native);
    }
  }

  explain(error) {
    if (error instanceof RunError) return error;
    if (error.code === "closed") return new RunError("engine_restarted", "The agent's process ended unexpectedly and is started again.", true);
    if (error.code === KEY_REFUSED) {
      this.reason = "the model provider refused the key";
      return new RunError("provider_auth", "The model provider refused the key.", false);
    }
    if (/Provider not set|Failed to resolve/.test(error.message)) {
      return new RunError("provider_not_configured", `goose cannot use the provider ${this.variables.GOOSE_PROVIDER}: it does not know it, or its key is missing (${error.message}).`, false);
    }
    return new RunError(error.code === "timeout" ? "engine_timeout" : "engine_error", error.message, true);
  }

  // What does not end in time is killed; other sessions are loaded again when they are next used.
  cancel(run) {
    const { child } = this;
    if (run.session.native) this.acp?.notify("session/cancel", { sessionId: run.session.native });
    run.killTimer = setTimeout(() => {
      log.warn("goose did not end the run; it is killed", { run: run.id });
      killTree(child);
    }, CANCEL_GRACE_MS);
    run.finished.then(() => clearTimeout(run.killTimer));
  }

  async change(session, { title, mode }) {
    if (!this.acp || !this.loaded.has(session.native)) return; // its mode is set when it is loaded
    if (mode) await this.acp.call("session/set_mode", { sessionId: session.native, modeId: mode });
    if (title) await this.acp.call("_goose/unstable/session/rename", { sessionId: session.native, title }).catch((error) => log.warn("not renamed", { error: error.message }));
  }

  async forget(session) {
    if (!session.native) return;
    this.loaded.delete(session.native);
    await this.acp?.call("session/delete", { sessionId: session.native }, 5_000).catch((error) => log.warn("not deleted in goose", { error: error.message }));
  }

  // Updates of a session without a run are the replay of a load, or late; both are dropped.
  notified(method, { sessionId, update }) {
    const run = method === "session/update" && this.active.get(sessionId);
    if (!run || !update) return;
    const content = update.content;
    if (update.sessionUpdate === "agent_message_chunk") {
      const text = content?.type === "text" ? content.text : `[${content?.type}]`;
      run.modelError = MODEL_FAILED.exec(text)?.[0];
      if (!run.modelError) run.text(text);
    } else if (update.sessionUpdate === "agent_thought_chunk") run.text(content?.text ?? "", "thought");
    else if (update.sessionUpdate === "tool_call") run.tool(update.toolCallId, toolOf(update));
    else if (update.sessionUpdate === "tool_call_update") {
      const live = update._meta?.toolNotification;
      if (live?.type === "live_output") run.toolOutput(update.toolCallId, (live.params?.chunks ?? []).map((chunk) => chunk.output).join(""));
      const text = textOf(update);
      // In chat mode goose tells the model that the call was skipped, and calls it completed.
      if (/skipped in goose chat mode/.test(text)) run.toolEnd(update.toolCallId, "failed", "Not run: this session is in chat mode.");
      else if (update.status === "completed" || update.status === "failed") run.toolEnd(update.toolCallId, update.status, text);
    }
  }

  async requested(method, params) {
    if (method !== "session/request_permission") throw Object.assign(new Error(`${method} is not offered`), { code: -32601 });
    const run = this.active.get(params.sessionId);
    const decision = run ? await run.ask(params.toolCall.toolCallId, toolOf(params.toolCall)) : "cancelled";
    if (decision === "cancelled") return { outcome: { outcome: "cancelled" } };
    const option = params.options.find((o) => o.kind === decision) ?? params.options.find((o) => o.kind === "reject_once");
    return { outcome: { outcome: "selected", optionId: option.optionId } };
  }
}

function toolOf(update) {
  const title = update.title ?? "tool";
  return { name: update._meta?.goose?.toolCall?.toolName ?? title.split(" ", 1)[0], title, input: update.rawInput };
}

function textOf(update) {
  const texts = (update.content ?? []).map((item) => (item.content?.type === "text" ? item.content.text : `[${item.content?.type ?? item.type}]`));
  if (texts.length > 0) return texts.join("\n");
  return typeof update.rawOutput === "string" ? update.rawOutput : update.rawOutput === undefined ? "" : JSON.stringify(update.rawOutput);
}

// Our messages as goose keeps them. The message of a run that goes on is not history yet.
function conversation(session) {
  const items = [];
  const push = (message, role, content) => {
    const created = Math.floor(Date.parse(message.created_at) / 1000);
    items.push({ id: `restored_${items.length}`, role, created, content: [content], metadata: { userVisible: true, agentVisible: true } });
  };
  const ended = session.messages.filter((message) => message.id !== session.run?.messageId && message !== session.run?.message);
  for (const message of ended) {
    if (message.role === "notice") continue;
    for (const part of message.parts) {
      if (part.type === "text" && part.text) push(message, message.role, { type: "text", text: part.text });
      if (part.type !== "tool") continue;
      const id = `restored_call_${items.length}`;
      const result = { content: [{ type: "text", text: part.output ?? "" }], isError: part.status !== "completed" };
      push(message, "assistant", { type: "toolRequest", id, toolCall: { status: "success", value: { name: part.name, arguments: part.input ?? {} } } });
      push(message, "user", { type: "toolResponse", id, toolResult: { status: "success", value: result } });
    }
    if (message.role === "assistant" && message.status !== "complete") push(message, "assistant", { type: "text", text: "\n[interrupted]" });
  }
  return items;
}

function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // the group is empty: nothing is left of it
  }
}

// Tools may have made process groups of their own, so the tree is walked before its root is gone.
function killTree(child) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it ended while we looked
    }
  }
  const doomed = [child.pid];
  for (let i = 0; i < doomed.length; i++) doomed.push(...(children.get(doomed[i]) ?? []));
  for (const pid of doomed) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended by itself
    }
  }
  killGroup(child);
}

// ---- the model of the goose engine ----

// Which model goose is to use, with the variables it needs beyond those it inherits: {name, demo, variables, problem?}.
async function chooseModel() {
  const keyed = env.OPENAI_API_KEY || env.OPENAI_HOST ? "openai" : env.ANTHROPIC_API_KEY || env.ANTHROPIC_HOST ? "anthropic" : undefined;
  const provider = env.GOOSE_PROVIDER || keyed;
  if (!provider) {
    const { startDemoModel } = await import("./demo-model.mjs");
    const port = await startDemoModel();
    const variables = { GOOSE_PROVIDER: "openai", GOOSE_MODEL: "demo", OPENAI_API_KEY: "demo", OPENAI_HOST: `http://127.0.0.1:${port}` };
    return { name: "demo", demo: true, variables };
  }
  const variables = { GOOSE_PROVIDER: provider };
  if (provider === "openai" && !env.OPENAI_API_KEY) variables.OPENAI_API_KEY = "none"; // goose insists on one; Ollama and its like do not
  if (env.GOOSE_MODEL_SOCKET) {
    const port = await pipeToSocket(env.GOOSE_MODEL_SOCKET);
    variables.OPENAI_HOST = `http://127.0.0.1:${port}/model/openai`;
    variables.ANTHROPIC_HOST = `http://127.0.0.1:${port}/model/anthropic`;
  }
  const usual = env.OPENAI_HOST ? {} : { openai: "gpt-4o", anthropic: "claude-sonnet-4-5" };
  const name = env.GOOSE_MODEL || usual[provider];
  if (!name) return { name: "", demo: false, variables, problem: `GOOSE_MODEL is not set: name the model that ${provider} is to use.` };
  return { name, demo: false, variables: { ...variables, GOOSE_MODEL: name } };
}

// The model gateway is a Unix socket of the host; goose wants a TCP port.
async function pipeToSocket(socketPath) {
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const gateway = net.connect({ path: socketPath, allowHalfOpen: true });
    for (const [one, other] of [[client, gateway], [gateway, client]]) {
      one.on("error", () => {}); // "close" follows
      one.on("close", () => other.destroySoon());
      one.pipe(other);
    }
  });
  server.maxConnections = 64;
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

function findGoose() {
  const executable = (file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  };
  if (env.GOOSE_BIN) return executable(env.GOOSE_BIN) ? path.resolve(env.GOOSE_BIN) : undefined;
  return (env.PATH ?? "").split(":").map((directory) => path.join(directory, "goose")).find(executable);
}

// ---- HTTP ----

const routes = [
  ["GET", /^\/health$/, health],
  ["GET", /^\/log$/, followLog],
  ["GET", /^\/sessions$/, listSessions],
  ["POST", /^\/sessions$/, createSession],
  ["GET", /^\/sessions\/([^/]+)$/, readSession],
  ["PATCH", /^\/sessions\/([^/]+)$/, changeSession],
  ["DELETE", /^\/sessions\/([^/]+)$/, deleteSession],
  ["GET", /^\/sessions\/([^/]+)\/events$/, followSession],
  ["POST", /^\/sessions\/([^/]+)\/cancel$/, cancelRun],
  ["POST", /^\/sessions\/([^/]+)\/permissions\/([^/]+)$/, decide],
  ["POST", /^\/messages$/, postMessage],
];
let streams = 0;

async function handle(req, res) {
  const began = Date.now();
  const url = URL.canParse(req.url, "http://x") ? new URL(req.url, "http://x") : null;
  res.on("close", () => {
    const fields = { method: req.method, path: firstLine(url?.pathname ?? "?", 200), status: res.statusCode, ms: Date.now() - began };
    log.event("request", fields, url?.pathname === "/health" ? "DEBUG" : "INFO");
  });
  try {
    if (!url) throw new ApiError(400, "invalid", "The request's path cannot be read.");
    const matching = routes.map(([method, pattern, act]) => [method, pattern.exec(url.pathname), act]).filter(([, match]) => match);
    if (url.pathname !== "/health" && !authorized(req)) throw new ApiError(401, "denied", "The bearer token is missing or wrong.");
    if (matching.length === 0) throw new ApiError(404, "not_found", `There is no ${url.pathname} here.`);
    const route = matching.find(([method]) => method === req.method);
    if (!route) {
      res.setHeader("Allow", matching.map(([method]) => method).join(", "));
      throw new ApiError(405, "invalid", `${url.pathname} does not take ${req.method}.`);
    }
    const body = req.method === "POST" || req.method === "PATCH" ? await readBody(req) : undefined;
    await route[2]({ req, res, body, query: url.searchParams, params: route[1].slice(1) });
  } catch (error) {
    fail(res, error);
  }
}

function authorized(req) {
  if (!config.tokenHash) return true;
  const token = /^Bearer (.+)$/i.exec(req.headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(sha256(token), config.tokenHash);
}

function reply(res, status, value) {
  if (value === undefined) return res.writeHead(status).end();
  const text = JSON.stringify(value);
  return res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Content-Length": Buffer.byteLength(text), "Cache-Control": "no-store" }).end(text);
}

function fail(res, error) {
  if (res.destroyed) return undefined; // the client left before its request was whole
  if (!(error instanceof ApiError)) {
    log.event("internal error", { error: error.stack ?? String(error) }, "ERROR");
    error = new ApiError(500, "internal", "The server failed; its log says why.");
  }
  if (res.headersSent) return res.destroy();
  if (error.status === 413) res.setHeader("Connection", "close");
  return reply(res, error.status, { error: { code: error.code, message: error.message, ...error.more } });
}

async function readBody(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError(413, "invalid", `The body is longer than ${BODY_LIMIT} bytes.`);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(Buffer.concat(chunks)), wellFormed);
  } catch (error) {
    throw new ApiError(400, "invalid", `The body is not JSON in UTF-8: ${error.message}`);
  }
  if (!isObject(value)) throw new ApiError(400, "invalid", "The body is not a JSON object.");
  return value;
}

// A lone surrogate is legal JSON, but goose does not read a line that has one.
function wellFormed(_key, value) {
  return typeof value === "string" ? value.toWellFormed() : value;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Rules of a field: a function that returns what is wrong with the value, or nothing.
const rules = {
  text: (max, min = 0) => (v) => (typeof v !== "string" || v.length > max || v.trim().length < min) && `is not a text of ${min} to ${max} characters`,
  uuid: (v) => !(typeof v === "string" && UUID.test(v)) && "is not a UUID in lower case",
  word: (words) => (v) => !words.includes(v) && `is none of ${words.join(", ")}`,
  count: (v) => !(Number.isSafeInteger(v) && v >= 1) && "is not a whole number from 1 up",
  directory: (v) => !(typeof v === "string" && path.isAbsolute(v) && isDirectory(v)) && "is not the absolute path of a directory",
  history: (v) => !(Array.isArray(v) && v.length <= MESSAGES_KEPT) && `is not a list of at most ${MESSAGES_KEPT} messages`,
};

function isDirectory(name) {
  try {
    return statSync(name).isDirectory();
  } catch {
    return false;
  }
}

function check(value, fields, where = "") {
  if (!isObject(value)) throw new ApiError(400, "invalid", `${where || "body"} is not an object.`);
  for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) throw new ApiError(400, "invalid", `${where}${firstLine(name, 60)} is not a known field.`);
  for (const [name, [rule, required]] of Object.entries(fields)) {
    if (value[name] === undefined) {
      if (required) throw new ApiError(400, "invalid", `${where}${name} is missing.`);
      continue;
    }
    const wrong = rule?.(value[name]);
    if (wrong) throw new ApiError(400, "invalid", `${where}${name} ${wrong}.`);
  }
}

function findSession(id) {
  const session = sessions.get(id);
  if (!session) throw new ApiError(404, "not_found", "There is no such session.");
  return session;
}

function health({ res }) {
  const { status, can_chat, reason, dead } = engine.health();
  const runs = [...sessions.values()].filter((session) => session.run).length;
  reply(res, dead ? 503 : 200, {
    status, api: API_VERSION, engine: engine.name, engine_version: engine.version, model: engine.model, can_chat, ...(reason && { reason: firstLine(reason, 300) }),
    instance_id: instanceId, active_runs: runs, sessions: sessions.size, uptime_s: Math.floor((Date.now() - startedAt) / 1000),
  });
}

function listSessions({ res }) {
  const list = [...sessions.values()].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1)).map((session) => session.view());
  reply(res, 200, { sessions: list, total: list.length });
}

function readSession({ res, params: [id] }) {
  const session = findSession(id);
  session.run?.flush();
  reply(res, 200, { ...session.view(), messages: session.messages });
}

const sessionFields = {
  id: [rules.uuid], title: [rules.text(200)], cwd: [rules.directory], mode: [rules.word(MODES)], history: [rules.history], first_seq: [rules.count],
};

async function createSession({ res, body }) {
  check(body, sessionFields);
  const existing = sessions.get(body.id);
  if (existing) {
    if (body.first_seq) existing.seq = Math.max(existing.seq, body.first_seq - 1);
    return reply(res, 200, existing.view());
  }
  const session = newSession({ ...body, messages: (body.history ?? []).map(historyMessage), seq: (body.first_seq ?? 1) - 1 });
  if (session.messages.length > 0) {
    session.memory = "lost"; // until the engine has it
    await engine.open(session).catch((error) => log.warn("session not opened yet", { session: session.id, error: error.message }));
  }
  session.save();
  return reply(res, 201, session.view());
}

function newSession(fields) {
  if (stopping) throw new ApiError(503, "unavailable", "The server is stopping.");
  if (sessions.size >= config.maxSessions) throw new ApiError(429, "busy", `There are ${sessions.size} sessions; no more fit.`);
  const session = new Session({ ...fields, id: fields.id ?? randomUUID() });
  sessions.set(session.id, session);
  return session;
}

function historyMessage(message, index) {
  const where = `history[${index}].`;
  const text = rules.text(BODY_LIMIT);
  const any = undefined;
  check(message, {
    id: [rules.text(100)], role: [rules.word(["user", "assistant", "notice"]), true], parts: [(v) => !Array.isArray(v) && "is not a list", true], status: [rules.word(["complete", "partial", "failed"])],
    created_at: [(v) => !(typeof v === "string" && Date.parse(v) > 0) && "is not a time"], model: [any], session_id: [any], seq: [any], event_seq: [any],
  }, where);
  message.parts.forEach((part, i) => {
    const partWhere = `${where}parts[${i}].`;
    if (!isObject(part)) throw new ApiError(400, "invalid", `${partWhere.slice(0, -1)} is not an object.`);
    const kinds = {
      text: { type: [any], text: [text, true] },
      thought: { type: [any], text: [text, true] },
      notice: { type: [any], kind: [text, true], text: [text] },
      tool: {
        type: [any], tool_call_id: [text, true], name: [rules.text(200, 1), true], title: [text], input: [(v) => !isObject(v) && "is not an object"], output: [text], status: [text],
        started_at: [text], ended_at: [text], truncated: [any], permission: [any],
      },
    };
    if (!Object.hasOwn(kinds, part.type)) throw new ApiError(400, "invalid", `${partWhere}type is none of ${Object.keys(kinds).join(", ")}.`);
    check(part, kinds[part.type], partWhere);
  });
  return { id: message.id ?? randomUUID(), role: message.role, created_at: message.created_at ?? now(), parts: message.parts, status: message.status ?? "complete", model: message.model ?? engine.model };
}

async function changeSession({ res, body, params: [id] }) {
  const session = findSession(id);
  check(body, { title: [rules.text(200, 1)], mode: [rules.word(MODES)] });
  try {
    await engine.change(session, body);
  } catch (error) {
    throw new ApiError(502, "unavailable", `The agent did not take the change: ${error.message}`);
  }
  session.title = body.title ?? session.title;
  session.mode = body.mode ?? session.mode;
  session.emit("session_updated", { title: session.title, mode: session.mode }, session.run);
  session.save();
  reply(res, 200, session.view());
}

async function deleteSession({ res, params: [id] }) {
  await findSession(id).remove();
  reply(res, 204);
}

function cancelRun({ res, body, params: [id] }) {
  const session = findSession(id);
  check(body, { run_id: [rules.uuid] });
  const meant = session.run && (body.run_id === undefined || body.run_id === session.run.id);
  reply(res, 202, { cancelled: meant ? session.run.cancel() : false });
}

function decide({ res, body, params: [id, permissionId] }) {
  const permission = findSession(id).permissions.get(permissionId);
  check(body, { decision: [rules.word(DECISIONS), true] });
  if (!permission) throw new ApiError(404, "not_found", "There is no such permission question.");
  if (permission.by === "user") throw new ApiError(409, "already_decided", `This question was already answered: ${permission.tool.permission.decision}.`);
  if (permission.by) throw new ApiError(410, "expired", permission.by === "timeout" ? "The time for this question ran out; the tool was rejected." : "The run that asked this was cancelled or has ended.");
  permission.resolve(body.decision, "user");
  reply(res, 200, { permission_id: permission.id, decision: body.decision, by: "user" });
}

// Answers with the events of one run. The same message_id attaches to its run: a message is never sent to the agent twice.
function postMessage({ req, res, body, query }) {
  check(body, { session_id: [rules.uuid], message_id: [rules.uuid, true], content: [rules.text(BODY_LIMIT, 1), true] });
  const owner = [...sessions.values()].find((session) => session.runs.has(body.message_id) || session.messages.some((message) => message.id === body.message_id));
  if (owner) {
    if (body.session_id && body.session_id !== owner.id) throw new ApiError(409, "conflict", "This message_id belongs to another session.");
    const run = owner.runs.get(body.message_id);
    if (run && run.content !== body.content) throw new ApiError(409, "conflict", "This message_id was used with another content.");
    return sendEvents({ req, res, session: owner, run, after: afterOf(req, query), known: true });
  }
  if (stopping) throw new ApiError(503, "unavailable", "The server is stopping.");
  const session = body.session_id ? findSession(body.session_id) : undefined;
  if (session?.run) throw new ApiError(409, "session_busy", "The session's last message is still being answered.", { run_id: session.run.id });
  const runs = [...sessions.values()].filter((one) => one.run).length;
  if (runs >= config.maxRuns) throw new ApiError(429, "busy", `${runs} runs are going on; no more fit.`);
  requireStream();
  const target = session ?? newSession({});
  const run = new Run(target, body.message_id, body.content);
  sendEvents({ req, res, session: target, run });
  run.drive().catch((error) => log.event("internal error", { error: error.stack }, "ERROR"));
}

function afterOf(req, query) {
  const text = req.headers["last-event-id"] ?? query.get("after");
  if (text === null || text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ApiError(400, "invalid", "after (or Last-Event-ID) is not an event number.");
  return Number(text);
}

function followSession({ req, res, query, params: [id] }) {
  sendEvents({ req, res, session: findSession(id), after: afterOf(req, query) });
}

function requireStream() {
  if (streams >= STREAM_LIMIT) throw new ApiError(503, "busy", `${streams} streams are open; no more fit.`);
}

// A stream of one run ends after its last event; a stream of a session goes on. A reader that leaves changes nothing.
function sendEvents({ req, res, session, run, after, known = false }) {
  const stream = openStream(req, res, "text/event-stream", ": ping\n\n", { "X-Session-Id": session.id });
  const reset = () => stream.write(`id: ${session.seq}\nevent: reset\ndata: ${JSON.stringify({ seq: session.seq, session_id: session.id, ts: now() })}\n\n`);
  if (known && !run) {
    reset(); // it ran in an earlier process: the answer is in the session's messages
    return stream.end();
  }
  session.run?.flush();
  const oldest = session.ring[0]?.seq ?? session.seq + 1;
  const from = after ?? (run ? run.firstSeq - 1 : oldest - 1);
  const send = (event) => {
    if (event === null) return stream.end();
    if (run && event.run !== run.id) return undefined;
    stream.write(event.frame);
    if (run && event.type === "run_finished") stream.end();
    return undefined;
  };
  if (from < oldest - 1 || from > session.seq) {
    reset();
    if (run?.done) return stream.end();
  } else {
    for (const event of session.ring) if (event.seq > from) send(event);
    if (run?.done) return stream.end();
  }
  session.readers.add(send);
  stream.onClose(() => session.readers.delete(send));
  return undefined;
}

function openStream(req, res, type, ping, headers = {}) {
  requireStream();
  streams++;
  res.writeHead(200, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Instance-Id": instanceId, ...headers });
  res.flushHeaders();
  const stream = {
    write(text) {
      if (res.destroyed || res.writableEnded) return;
      res.write(text);
      if (res.writableLength > SUBSCRIBER_BACKLOG) res.destroy(); // a reader this slow comes again with its last event
    },
    end: () => void res.end(),
    onClose: (act) => res.on("close", act),
  };
  const timer = setInterval(() => stream.write(ping), PING_MS);
  res.on("close", () => {
    streams--;
    clearInterval(timer);
  });
  return stream;
}

// NDJSON {offset, at, stream, text}; an empty line is a sign of life.
function followLog({ req, res, query }) {
  const after = afterOf(req, query) ?? 0;
  const stream = openStream(req, res, "application/x-ndjson", "\n");
  const send = (entry) => stream.write(`${JSON.stringify(entry)}\n`);
  const oldest = log.lines[0]?.offset ?? log.offset + 1;
  const from = after > log.offset ? 0 : after; // an offset of an earlier process
  if (from < oldest - 1) send({ offset: oldest - 1, at: now(), stream: "stderr", text: `goose-api: ${oldest - 1 - from} lines are no longer held` });
  for (const entry of log.lines) if (entry.offset > from) send(entry);
  log.readers.add(send);
  stream.onClose(() => log.readers.delete(send));
}

// ---- start and stop ----

async function main() {
  try {
    accessSync(config.cwd);
    mkdirSync(path.join(config.root, "api"), { recursive: true, mode: 0o700 });
  } catch (error) {
    refuseStart(error.message);
  }
  const binary = config.engine === "echo" ? undefined : findGoose();
  if (config.engine === "goose" && !binary) refuseStart("GOOSE_API_ENGINE=goose, but there is no goose binary: set GOOSE_BIN");
  engine = binary ? new GooseEngine(binary) : new EchoEngine();
  loadSessions();
  const server = http.createServer(handle);
  server.maxConnections = 256;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 65_000;
  server.on("error", (error) => refuseStart(error.message));
  server.listen(config.port, config.host, () => {
    log.event("goose-api listens", { url: `http://${config.host}:${server.address().port}`, engine: engine.name, instance: instanceId });
    engine.start().catch((error) => {
      log.event("the engine cannot be started", { error: error.message }, "ERROR");
      process.exit(1);
    });
  });
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stop(server, signal));
}

// Runs are cancelled, so that each ends with its `run_finished` and its messages are on disk.
async function stop(server, signal) {
  if (stopping) return;
  stopping = true;
  log.event("stopping", { signal });
  setTimeout(() => process.exit(0), 4_500).unref();
  server.close();
  const running = [...sessions.values()].map((session) => session.run).filter(Boolean);
  for (const run of running) run.cancel();
  await Promise.race([Promise.all(running.map((run) => run.finished)), sleep(3_000)]);
  for (const session of sessions.values()) session.save();
  await engine.stop();
  process.exit(0);
}

process.on("unhandledRejection", (error) => log.event("internal error", { error: error?.stack ?? String(error) }, "ERROR"));
await main();
