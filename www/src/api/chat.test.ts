// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type ChatState, fromStore, reduce, withOlder, withSent, withSession } from "./chat";
import type { Message, Session, ToolPart } from "./schema";

const session: Session = {
  id: "s",
  project_id: "p",
  status: "idle",
  created_at: "2026-01-01T00:00:00.000Z",
  model: { name: "demo", demo: true },
};
const message = (id: string, seq: number, more: Partial<Message> = {}): Message => ({
  id,
  seq,
  role: "assistant",
  parts: [{ type: "text", text: id }],
  status: "complete",
  ...more,
});
const empty = fromStore(session, [], false);
const play = (state: ChatState, ...events: [string, Record<string, unknown>][]) =>
  events.reduce((s, [type, data]) => reduce(s, { type, data }), state);
const words = (s: ChatState, at = -1) =>
  s.messages
    .at(at)
    ?.parts.map((p) => ("text" in p ? p.text : `[${(p as ToolPart).status}]`))
    .join("");

describe("a chat read from the store", () => {
  it("shows the oldest first", () => {
    expect(fromStore(session, [message("b", 2), message("a", 1)], false).messages.map((m) => m.id)).toEqual([
      "a",
      "b",
    ]);
  });
  it("puts older pages before, each message once", () => {
    const state = withOlder(
      fromStore(session, [message("c", 3)], true),
      [message("c", 3), message("b", 2), message("a", 1)],
      false,
    );
    expect(state.messages.map((m) => m.id)).toEqual(["a", "b", "c"]);
    expect(state.older).toBe(false);
  });
});

describe("live events", () => {
  it("build a message from deltas", () => {
    const s = play(
      empty,
      ["run_started", { message_id: "u" }],
      ["message_delta", { message_id: "m", seq: 2, text: "Hel" }],
      ["message_delta", { message_id: "m", seq: 3, text: "lo" }],
    );
    expect(words(s)).toBe("Hello");
    expect(s.running).toBe(true);
    expect(s.messages[0]?.model?.demo).toBe(true);
  });
  it("count once, however often they come", () => {
    const s = play(
      empty,
      ["message_delta", { message_id: "m", seq: 2, text: "a" }],
      ["message_delta", { message_id: "m", seq: 2, text: "a" }],
      ["message_delta", { message_id: "m", seq: 3, text: "b" }],
      ["message_delta", { message_id: "m", seq: 1, text: "x" }],
    );
    expect(words(s)).toBe("ab");
  });
  it("go on from the partial text the store had", () => {
    const stored = message("m", 1, {
      parts: [{ type: "text", text: "one " }],
      status: "partial",
      event_seq: 10,
    });
    const s = play(
      fromStore(session, [stored], false),
      ["message_delta", { message_id: "m", seq: 9, text: "old" }],
      ["message_delta", { message_id: "m", seq: 10, text: "old" }],
      ["message_delta", { message_id: "m", seq: 11, text: "two" }],
    );
    expect(words(s)).toBe("one two");
  });
  it("give way to the whole message", () => {
    const s = play(
      empty,
      ["message_delta", { message_id: "m", seq: 2, text: "par" }],
      ["message", { seq: 5, message: message("m", 1, { parts: [{ type: "text", text: "whole" }] }) }],
      ["message_delta", { message_id: "m", seq: 4, text: "late" }],
    );
    expect(words(s)).toBe("whole");
    expect(s.messages).toHaveLength(1);
  });
  it("replace the message that was shown before the host had it", () => {
    const sent = withSent(empty, "u", "hi", "2026-01-01T00:00:00.000Z");
    const s = play(sent, [
      "message",
      { seq: 1, message: message("u", 1, { role: "user", parts: [{ type: "text", text: "hi" }] }) },
    ]);
    expect(s.messages).toHaveLength(1);
    expect(s.messages[0]?.status).toBe("complete");
  });
  it("of a kind that is not known change nothing", () => {
    expect(play(empty, ["something_new", { message_id: "m" }])).toBe(empty);
  });
});

describe("tool calls", () => {
  const called = play(
    empty,
    ["message_delta", { message_id: "m", seq: 1, text: "I will." }],
    [
      "tool_call",
      { message_id: "m", seq: 2, tool_call_id: "t", name: "write", input: { path: "a" }, status: "pending" },
    ],
  );
  const tool = (s: ChatState) => s.messages[0]?.parts[1] as ToolPart;
  it("stand in the message they belong to", () => {
    expect(tool(called).name).toBe("write");
  });
  it("take their updates, and the time they ended", () => {
    const s = play(called, [
      "tool_update",
      { tool_call_id: "t", seq: 3, status: "completed", output: "ok", ts: "2026-01-01T00:00:01.000Z" },
    ]);
    expect(tool(s)).toMatchObject({
      status: "completed",
      output: "ok",
      ended_at: "2026-01-01T00:00:01.000Z",
    });
  });
  it("are closed when the run is cancelled", () => {
    expect(tool(play(called, ["run_finished", { status: "cancelled" }])).status).toBe("cancelled");
  });
});

describe("permission questions", () => {
  const asked = play(
    empty,
    ["tool_call", { message_id: "m", seq: 1, tool_call_id: "t", name: "shell" }],
    [
      "permission_request",
      { permission_id: "q", tool_call_id: "t", name: "shell", input: { command: "ls" } },
    ],
  );
  it("are asked once", () => {
    expect(play(asked, ["permission_request", { permission_id: "q" }]).permissions).toHaveLength(1);
  });
  it("go in every window once answered, and say who answered", () => {
    const s = play(asked, [
      "permission_resolved",
      { permission_id: "q", decision: "allow_once", by: "user", who: "ada" },
    ]);
    expect(s.permissions).toHaveLength(0);
    expect((s.messages[0]?.parts[0] as ToolPart | undefined)?.permission).toMatchObject({
      decision: "allow_once",
      by: "ada",
    });
  });
  it("keep their input when the session's event leaves it out", () => {
    const s = withSession(asked, {
      ...session,
      status: "waiting_permission",
      pending_permissions: [{ permission_id: "q" }],
    });
    expect(s.permissions[0]?.input).toEqual({ command: "ls" });
  });
  it("are gone when the session no longer has them", () => {
    expect(
      withSession(asked, { ...session, status: "running", pending_permissions: [] }).permissions,
    ).toEqual([]);
  });
  it("die with the run", () => {
    expect(play(asked, ["run_finished", { status: "cancelled" }]).permissions).toEqual([]);
  });
  it("are built again from the store after a reload", () => {
    const s = fromStore(
      { ...session, status: "waiting_permission", pending_permissions: [{ permission_id: "q" }] },
      [],
      false,
    );
    expect(s.permissions).toHaveLength(1);
    expect(s.running).toBe(true);
  });
});

describe("the end of a run", () => {
  it("keeps the reason of a failure", () => {
    const s = play(
      empty,
      ["run_started", {}],
      ["error", { message: "the model said no", retryable: true }],
      ["run_finished", { status: "failed" }],
    );
    expect(s.running).toBe(false);
    expect(s.fault?.message).toBe("the model said no");
  });
  it("leaves what an earlier run cut off as it is", () => {
    const s = play(
      empty,
      ["message", { seq: 1, message: message("u1", 1, { role: "user" }) }],
      ["message", { seq: 2, message: message("m1", 2, { status: "partial" }) }],
      ["run_finished", { status: "cancelled" }],
      ["message", { seq: 3, message: message("u2", 3, { role: "user" }) }],
      ["message_delta", { message_id: "m2", seq: 4, text: "more" }],
      ["run_finished", { status: "completed" }],
    );
    expect(s.messages.map((m) => m.status)).toEqual(["complete", "partial", "complete", "complete"]);
  });
  it("marks what was cut off", () => {
    const s = play(
      empty,
      ["message_delta", { message_id: "m", seq: 1, text: "half" }],
      ["run_finished", { status: "cancelled" }],
    );
    expect(s.messages[0]?.status).toBe("partial");
  });
});
