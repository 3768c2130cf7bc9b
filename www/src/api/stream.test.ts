// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventStream, type StreamEvent } from "./stream";

interface Opened {
  url: string;
  lastId: string | undefined;
  say(text: string): void;
  end(): void;
  aborted: boolean;
}
let opened: Opened[];
let status: number;

beforeEach(() => {
  opened = [];
  status = 200;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    if (status !== 200 || url.includes("gone"))
      return new Response("no", { status: url.includes("gone") ? 404 : status });
    let out!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        out = c;
      },
    });
    const one: Opened = {
      url,
      lastId: (init.headers as Record<string, string>)["Last-Event-ID"],
      say: (text) => out.enqueue(new TextEncoder().encode(text)),
      end: () => out.close(),
      aborted: false,
    };
    init.signal?.addEventListener("abort", () => {
      one.aborted = true;
      out.error(new Error("aborted"));
    });
    opened.push(one);
    return new Response(body);
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const settle = (ms = 1) => vi.advanceTimersByTimeAsync(ms);
function make() {
  const events: StreamEvent[] = [];
  const calls = { jumped: 0, opened: 0, refused: 0 };
  const stream = new EventStream({
    event: (e) => events.push(e),
    jumped: () => void calls.jumped++,
    opened: () => void calls.opened++,
    refused: () => void calls.refused++,
  });
  return { stream, events, calls };
}

describe("the event stream", () => {
  it("opens once for all that the views declare", async () => {
    const { stream } = make();
    stream.declare({ user: "ada" });
    stream.declare({ session: "s", after: "id-7" });
    await settle();
    expect(opened.map((o) => [o.url, o.lastId])).toEqual([["/api/events?user=ada&session=s", "id-7"]]);
  });

  it("hands on events with the connection's cursor, over chunk edges", async () => {
    const { stream, events } = make();
    stream.declare({ user: "ada", session: "s", after: "id-7" });
    await settle();
    opened[0]?.say("id: id-8\nevent: message_delta\nda");
    opened[0]?.say('ta: {"text":"hi"}\n\n');
    await settle();
    expect(events).toEqual([{ type: "message_delta", data: { text: "hi" }, after: "id-7" }]);
  });

  it("comes back with its last id when the connection ends, and says that it was away", async () => {
    const { stream, calls } = make();
    stream.declare({ user: "ada" });
    await settle();
    opened[0]?.say("id: id-9\nevent: project\ndata: {}\n\n");
    await settle();
    opened[0]?.end();
    await settle();
    expect(stream.getState().status).toBe("away");
    await settle(1000);
    expect(opened[1]?.lastId).toBe("id-9");
    expect(stream.getState().status).toBe("live");
    expect(calls.jumped).toBe(2);
  });

  it("gives up a connection that is silent for too long", async () => {
    const { stream } = make();
    stream.declare({ user: "ada" });
    await settle();
    opened[0]?.say(": ping\n\n");
    await settle(20_000);
    expect(opened).toHaveLength(1);
    await settle(8_000);
    expect(opened.length).toBeGreaterThan(1);
  });

  it("keeps the old connection until the new one answers, then ends it", async () => {
    const { stream } = make();
    stream.declare({ user: "ada" });
    await settle();
    opened[0]?.say("id: id-3\nevent: project\ndata: {}\n\n");
    await settle();
    const drop = stream.declare({ logs: "p" });
    await settle();
    expect(opened[0]?.aborted).toBe(true);
    expect(opened[1]?.url).toContain("logs=p");
    expect(opened[1]?.lastId).toBe("id-3");
    drop();
    await settle();
    expect(opened[2]?.url).toBe("/api/events?user=ada");
  });

  it("waits longer after each failure", async () => {
    const { stream } = make();
    status = 503;
    stream.declare({ user: "ada" });
    await settle(5_000);
    expect(stream.getState().status).toBe("away");
    status = 200;
    await settle(10_000);
    expect(stream.getState().status).toBe("live");
  });

  it("follows the rest when the session it looks at is gone", async () => {
    const { stream, calls } = make();
    stream.declare({ user: "ada", session: "gone" });
    await settle(50);
    expect(calls.refused).toBe(1);
    expect(opened[0]?.url).toBe("/api/events?user=ada");
  });
});
