// The stand-in's agent: answers a message as the demo model would, with a permission question before it writes or
// runs something.
// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { now, sleep } from "./world.mjs";

const MODEL = { name: "demo", demo: true };

export function createSession(world, project, { title, mode } = {}) {
  const s = {
    id: randomUUID(),
    project_id: project.id,
    title: title ?? "New chat",
    status: "idle",
    mode: mode ?? "approve",
    engine: "goose",
    model: MODEL,
    run: null,
    pending_permissions: [],
    message_count: 0,
    memory: "live",
    created_at: now(),
    updated_at: now(),
  };
  world.sessions.set(s.id, s);
  world.messages.set(s.id, { list: [], events: 0 });
  announce(world, project, s);
  return s;
}

export function announce(world, project, s) {
  s.updated_at = now();
  const bare = { ...s, pending_permissions: s.pending_permissions.map(({ input, ...p }) => p) };
  world.bus.publish([`user:${project.user_id}`], "session", bare);
}

export async function run(world, project, session, messageId, content) {
  const store = world.messages.get(session.id);
  const runId = randomUUID();
  const state = { cancelled: false, answer: null };
  world.runs.set(session.id, state);
  const emit = (event, data) => {
    const seq = ++store.events;
    world.bus.publish([`session:${session.id}`], event, {
      seq,
      session_id: session.id,
      run_id: runId,
      ts: now(),
      ...data,
    });
    return seq;
  };
  const save = (message) => {
    message.event_seq = store.events + 1;
    store.list.push({ ...message, seq: store.list.length + 1, session_id: session.id });
    session.message_count = store.list.length;
    emit("message", { message });
  };
  Object.assign(session, {
    status: "running",
    run: { run_id: runId, message_id: messageId, started_at: now() },
  });
  if (session.title === "New chat") session.title = content.slice(0, 48);
  announce(world, project, session);
  emit("run_started", { message_id: messageId });
  save({
    id: messageId,
    role: "user",
    parts: [{ type: "text", text: content }],
    status: "complete",
    created_at: now(),
  });

  const id = randomUUID();
  const parts = [];
  const say = async (text) => {
    const part = { type: "text", text: "" };
    parts.push(part);
    for (const piece of text.match(/[\s\S]{1,6}/g)) {
      if (state.cancelled) return;
      part.text += piece;
      emit("message_delta", { message_id: id, role: "assistant", text: piece });
      await sleep(16 / world.speed);
    }
  };
  const act = async (name, title, input, output) => {
    const call = {
      type: "tool",
      tool_call_id: randomUUID(),
      name,
      title,
      input,
      status: "pending",
      started_at: now(),
    };
    parts.push(call);
    emit("tool_call", { ...call, message_id: id, type: undefined });
    if (session.mode !== "auto") {
      const permission = {
        permission_id: randomUUID(),
        tool_call_id: call.tool_call_id,
        name,
        title,
        input,
        cwd: "/workspace",
        options: ["allow_once", "allow_always", "reject_once", "reject_always"],
        expires_at: now(600_000),
      };
      session.pending_permissions.push(permission);
      session.status = "waiting_permission";
      announce(world, project, session);
      emit("permission_request", permission);
      const answer = await new Promise((done) => (state.answer = done));
      session.pending_permissions = [];
      call.permission = { decision: answer.decision, by: answer.by, at: now() };
      emit("permission_resolved", {
        permission_id: permission.permission_id,
        decision: answer.decision,
        by: answer.by === "cancel" ? "cancel" : "user",
      });
      session.status = "running";
      announce(world, project, session);
      if (!answer.decision.startsWith("allow")) {
        Object.assign(call, {
          status: "failed",
          output: "The user has declined to run this tool.",
          ended_at: now(),
        });
        emit("tool_update", { tool_call_id: call.tool_call_id, status: "failed", output: call.output });
        return false;
      }
    }
    emit("tool_update", { tool_call_id: call.tool_call_id, status: "in_progress" });
    await sleep(400 / world.speed);
    Object.assign(call, { status: "completed", output, ended_at: now() });
    emit("tool_update", { tool_call_id: call.tool_call_id, status: "completed", output });
    world.log(project, "goose-api", `tool ${name} completed`);
    return true;
  };

  await reply(content, say, act);
  const status = state.cancelled ? "cancelled" : "completed";
  save({
    id,
    role: "assistant",
    parts,
    status: state.cancelled ? "partial" : "complete",
    model: MODEL,
    created_at: now(),
  });
  Object.assign(session, { status: "idle", run: null });
  world.runs.delete(session.id);
  emit("run_finished", { status });
  project.last_activity_at = now();
  announce(world, project, session);
  world.publish(project);
}

async function reply(content, say, act) {
  const write = content.match(/write (\S+) saying (.+)/i);
  const shell = content.match(/run `([^`]+)`/i);
  if (write) {
    await say(`I will write \`${write[1]}\`.\n\n`);
    const ok = await act(
      "write",
      `write ${write[1]}`,
      { path: write[1], content: `${write[2]}\n` },
      `Wrote ${write[1]}`,
    );
    await say(ok ? `Done: **${write[1]}** now says *${write[2]}*.` : "I did not write it, as you asked.");
  } else if (shell) {
    const ok = await act(
      "shell",
      shell[1],
      { command: shell[1] },
      `\u001b[32mLinux\u001b[0m gander 6.1.0 x86_64\n`,
    );
    await say(ok ? "That is what it printed." : "I did not run it.");
  } else {
    await say(SAMPLE);
  }
}

const SAMPLE = `Here is what I can do with nothing configured. Ask me to:

1. \`write hello.txt saying hi\`
2. run \`uname -a\`

| call | does | asks first |
|---|---|---|
| write | puts text into a file | yes |
| shell | runs a command | yes |

\`\`\`js
// A small server
import { createServer } from "node:http";
createServer((req, res) => res.end("hi")).listen(3000);
\`\`\`

See [the project](https://example.org/docs) for more. <b>Raw HTML</b> stays text.
`;
