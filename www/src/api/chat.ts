// One chat as the page holds it: stored messages with the live events laid over them. Pure; no cache, no network.
//
// A stored message says the last event folded into it (`event_seq`), so a delta counts once however often it comes.
// Deltas and tool calls make the message they belong to if it is not there yet; the `message` event, which is whole,
// replaces what the deltas built.
// SPDX-License-Identifier: Apache-2.0

import type { Message, Part, Permission, Session, ToolPart } from "./schema";

export interface ChatState {
  session: Session;
  messages: Message[];
  /** There are older messages in the store. */
  older: boolean;
  permissions: Permission[];
  /** How a question that was open here ended; shown for a moment where the card was. */
  resolved: { permission_id: string; decision: string; by?: string }[];
  running: boolean;
  fault?: { message: string; retryable?: boolean };
  /** The id of `/api/events` this state was read at. */
  cursor?: string;
}

export interface ChatEvent {
  type: string;
  data: Record<string, unknown>;
}

const RUNNING = new Set(["running", "waiting_permission"]);

export function fromStore(
  session: Session,
  newestFirst: Message[],
  older: boolean,
  cursor?: string,
): ChatState {
  return {
    session,
    messages: [...newestFirst].reverse(),
    older,
    permissions: session.pending_permissions ?? [],
    resolved: [],
    running: RUNNING.has(session.status),
    cursor,
  };
}

export function withOlder(state: ChatState, newestFirst: Message[], older: boolean): ChatState {
  const have = new Set(state.messages.map((m) => m.id));
  const before = newestFirst.filter((m) => !have.has(m.id)).reverse();
  return { ...state, messages: [...before, ...state.messages], older };
}

/** The user's own message, shown before the host has it. */
export function withSent(state: ChatState, id: string, text: string, at: string): ChatState {
  if (state.messages.some((m) => m.id === id)) return state;
  const message: Message = {
    id,
    role: "user",
    parts: [{ type: "text", text }],
    status: "partial",
    created_at: at,
  };
  return { ...state, messages: [...state.messages, message], running: true, fault: undefined };
}

export function withSession(state: ChatState, session: Session): ChatState {
  const running = RUNNING.has(session.status);
  // The event leaves out what the tools were asked; the cards keep what they have.
  const pending = session.pending_permissions;
  const still = pending && new Set(pending.map((p) => p.permission_id));
  const permissions = still ? state.permissions.filter((p) => still.has(p.permission_id)) : state.permissions;
  return {
    ...state,
    session: { ...state.session, ...session },
    running,
    permissions: running ? permissions : [],
  };
}

export function reduce(state: ChatState, e: ChatEvent): ChatState {
  const d = e.data;
  switch (e.type) {
    case "run_started":
      return { ...state, running: true, fault: undefined };
    case "message_delta":
      return patch(state, d, (m) => ({ ...m, parts: appendText(m.parts, "text", text(d.text)) }));
    case "thought_delta":
      return patch(state, d, (m) => ({ ...m, parts: appendText(m.parts, "thought", text(d.text)) }));
    case "message":
      return whole(state, d.message as Message, seqOf(d));
    case "tool_call":
    case "tool_update":
      return tool(state, d);
    case "permission_request": {
      const card = d as unknown as Permission;
      if (state.permissions.some((p) => p.permission_id === card.permission_id)) return state;
      return { ...state, permissions: [...state.permissions, card], running: true };
    }
    case "permission_resolved": {
      const id = text(d.permission_id);
      const done = {
        permission_id: id,
        decision: text(d.decision),
        by: text(d.who) || text(d.by) || undefined,
      };
      const card = state.permissions.find((p) => p.permission_id === id);
      const next = {
        ...state,
        permissions: state.permissions.filter((p) => p.permission_id !== id),
        resolved: [...state.resolved.filter((r) => r.permission_id !== id), done].slice(-20),
      };
      const call = text(d.tool_call_id) || card?.tool_call_id;
      if (!call) return next;
      return onTool(next, call, (t) => ({
        ...t,
        permission: { decision: done.decision, by: done.by, at: text(d.ts) || undefined },
      }));
    }
    case "session_updated":
      return { ...state, session: { ...state.session, ...given(d, "title"), ...given(d, "mode") } };
    case "error":
      return { ...state, fault: { message: text(d.message), retryable: d.retryable === true } };
    case "run_finished":
      return finish(state, text(d.status));
    default:
      return state;
  }
}

function finish(state: ChatState, status: string): ChatState {
  const from = runStart(state);
  const messages = state.messages.map((m, i) =>
    i >= from && m.status === "partial" ? settle(m, status) : m,
  );
  return {
    ...state,
    messages,
    running: false,
    permissions: [],
    session: { ...state.session, status: "idle", run: null },
    fault: status === "failed" ? (state.fault ?? { message: "The run failed." }) : state.fault,
  };
}

/** Where the messages of the newest run begin: what is partial before it was cut off earlier, and stays so. */
export function runStart(state: ChatState): number {
  return Math.max(
    0,
    state.messages.findLastIndex((m) => m.role === "user"),
  );
}

function settle(m: Message, status: string): Message {
  if (m.role === "user" || status === "completed") return { ...m, status: "complete" };
  const parts = m.parts.map((p) =>
    p.type === "tool" && !isDone(p.status)
      ? { ...p, status: status === "cancelled" ? "cancelled" : "failed" }
      : p,
  );
  return { ...m, parts, status: status === "cancelled" ? "partial" : "failed" };
}

function isDone(status?: string): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

const text = (v: unknown): string => (typeof v === "string" ? v : "");
const given = (d: Record<string, unknown>, key: string) => (text(d[key]) ? { [key]: d[key] } : {});
const seqOf = (d: Record<string, unknown>): number | undefined =>
  typeof d.seq === "number" ? d.seq : undefined;

/** Changes the message an event belongs to, once: an event already folded in is dropped. */
function patch(state: ChatState, d: Record<string, unknown>, change: (m: Message) => Message): ChatState {
  const id = text(d.message_id);
  const seq = seqOf(d);
  const role = d.role === "user" ? "user" : "assistant";
  const at = state.messages.findIndex((m) => m.id === id);
  const old: Message = state.messages[at] ?? {
    id,
    role,
    parts: [],
    status: "partial",
    model: state.session.model,
    created_at: text(d.ts) || new Date().toISOString(),
  };
  if (seq !== undefined && old.event_seq !== undefined && seq <= old.event_seq) return state;
  const next = { ...change(old), event_seq: seq ?? old.event_seq };
  const messages = at < 0 ? [...state.messages, next] : state.messages.with(at, next);
  return { ...state, messages };
}

function appendText(parts: Part[], type: "text" | "thought", more: string): Part[] {
  const last = parts.at(-1);
  if (last?.type === type) return [...parts.slice(0, -1), { ...last, text: last.text + more }];
  return [...parts, { type, text: more }];
}

function whole(state: ChatState, message: Message, seq?: number): ChatState {
  if (!message?.id) return state;
  const at = state.messages.findIndex((m) => m.id === message.id);
  const old = state.messages[at];
  if (old?.event_seq !== undefined && seq !== undefined && seq < old.event_seq) return state;
  // Who answered a question is known here from its own event; the whole message may not say it.
  const answered = new Map(old?.parts.map((p) => [p.type === "tool" ? p.tool_call_id : "", p]));
  const parts = message.parts.map((p) => {
    const before = p.type === "tool" && !p.permission ? answered.get(p.tool_call_id) : undefined;
    return before?.type === "tool" && before.permission ? { ...p, permission: before.permission } : p;
  });
  const next: Message = {
    ...message,
    parts,
    seq: message.seq ?? old?.seq,
    model: message.model ?? old?.model ?? (message.role === "assistant" ? state.session.model : undefined),
    event_seq: seq ?? message.event_seq,
  };
  return { ...state, messages: at < 0 ? [...state.messages, next] : state.messages.with(at, next) };
}

function tool(state: ChatState, d: Record<string, unknown>): ChatState {
  const id = text(d.tool_call_id);
  const fields: Partial<ToolPart> = {};
  for (const key of [
    "name",
    "title",
    "input",
    "output",
    "status",
    "truncated",
    "started_at",
    "ended_at",
  ] as const)
    if (d[key] !== undefined) Object.assign(fields, { [key]: d[key] });
  const ts = text(d.ts) || undefined;
  if (isDone(fields.status)) fields.ended_at ??= ts;
  const known = state.messages.some((m) => m.parts.some((p) => p.type === "tool" && p.tool_call_id === id));
  if (known) return onTool(state, id, (t) => ({ ...t, ...fields }), seqOf(d));
  const owner = text(d.message_id) || openMessage(state) || `run:${text(d.run_id)}`;
  return patch(state, { ...d, message_id: owner, role: "assistant" }, (m) => ({
    ...m,
    parts: [...m.parts, { type: "tool", tool_call_id: id, started_at: ts, status: "pending", ...fields }],
  }));
}

/** The answer being written: a tool call without an owner belongs to it. */
function openMessage(state: ChatState): string | undefined {
  const last = state.messages.at(-1);
  return last?.role === "assistant" && last.status === "partial" ? last.id : undefined;
}

function onTool(state: ChatState, id: string, change: (t: ToolPart) => ToolPart, seq?: number): ChatState {
  const messages = state.messages.map((m) => {
    if (!m.parts.some((p) => p.type === "tool" && p.tool_call_id === id)) return m;
    if (seq !== undefined && m.event_seq !== undefined && seq <= m.event_seq) return m;
    const parts = m.parts.map((p) => (p.type === "tool" && p.tool_call_id === id ? change(p) : p));
    return { ...m, parts, event_seq: seq ?? m.event_seq };
  });
  return { ...state, messages };
}
