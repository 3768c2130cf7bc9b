// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { fromStore } from "./chat";
import { during, overChat, overLogs, overProjects, overSessions } from "./live";
import type { Project, Session } from "./schema";

const project = (id: string, more: Partial<Project> = {}): Project => ({
  id,
  user_id: "ada",
  name: id,
  state: "inactive",
  desired: "inactive",
  revision: 1,
  created_at: "2026-01-01T00:00:00.000Z",
  ...more,
});
const session = (id: string, more: Partial<Session> = {}): Session => ({
  id,
  project_id: "p",
  status: "idle",
  created_at: "2026-01-01T00:00:00.000Z",
  ...more,
});

describe("events over a list", () => {
  it("change, add and remove projects of that user alone", () => {
    const list = overProjects(
      [project("a"), project("b")],
      [
        { type: "project", data: project("a", { state: "active" }) },
        { type: "project", data: project("c") },
        { type: "project", data: project("x", { user_id: "grace" }) },
        { type: "project_deleted", data: { id: "b", user_id: "ada" } },
      ],
      "ada",
    );
    expect(list.map((p) => `${p.id} ${p.state}`)).toEqual(["a active", "c inactive"]);
  });
  it("change, add and remove sessions of that project alone", () => {
    const list = overSessions(
      [session("a"), session("b")],
      [
        { type: "session", data: session("a", { status: "running" }) },
        { type: "session", data: session("c") },
        { type: "session", data: session("d", { project_id: "other" }) },
        { type: "session_deleted", data: { id: "b", project_id: "p" } },
      ],
      "p",
    );
    expect(list.map((s) => `${s.id} ${s.status}`)).toEqual(["c idle", "a running"]);
  });
});

describe("events over a chat", () => {
  const state = fromStore(session("s"), [], false, "cursor-2");
  const delta = (after: string, id = "s") => ({
    type: "message_delta",
    data: { session_id: id, message_id: "m", seq: 1, text: "hi" },
    after,
  });
  it("count when they come by the connection opened at its cursor", () => {
    expect(overChat(state, [delta("cursor-2")]).messages).toHaveLength(1);
  });
  it("of an earlier connection, or of another session, are left to the one they belong to", () => {
    expect(overChat(state, [delta("cursor-1"), delta("cursor-2", "other")])).toBe(state);
  });
});

describe("lines over a log", () => {
  const line = (seq: number, text: string) => ({
    seq,
    text,
    at: "",
    source: "setup" as const,
    stream: "stdout" as const,
  });
  const event = (logs: string, seq: number, text: string) => ({ type: "log", data: line(seq, text), logs });
  it("are those of its project that its filter lets through", () => {
    const events = [
      event("p", 1, "yes one"),
      event("other", 2, "yes of another"),
      event("p", 3, "no"),
      event("p", 4, "yes two"),
    ];
    const state = overLogs({ lines: [], older: false }, events, "p", { q: "yes" });
    expect(state.lines.map((l) => l.text)).toEqual(["yes one", "yes two"]);
  });
});

describe("reading while events come", () => {
  it("hands them to the answer and keeps nothing after", async () => {
    const seen = await during(
      async () => "answer",
      (value, events) => `${value} ${events.length}`,
    );
    expect(seen).toBe("answer 0");
  });
});
