// The one event stream of the page: opens it, keeps it open, says whether it is live.
//
// Views declare topics (`declare`); the stream is opened again with its cursor when the set changes, and the old
// connection stays until the new one answers, so nothing falls between. A connection that is silent for 25 s (pings
// come every 10) is given up. A page hidden for five minutes closes its own and catches up when it is shown.
// It knows no React and no cache: `handlers` get each event, and `jumped` when lists must be read again.
// SPDX-License-Identifier: Apache-2.0

import { createParser } from "eventsource-parser";
import { commonHeaders, url } from "./client";

export interface Topics {
  user?: string;
  logs?: string;
  session?: string;
  /** Where the session's events begin: the id its messages were read at. */
  after?: string;
}
export interface StreamEvent {
  type: string;
  data: unknown;
  /** The `after` of the session, and the project of the logs, on the connection this came by. */
  after?: string;
  logs?: string;
}
export interface StreamState {
  status: "opening" | "live" | "away" | "paused";
  /** When the host was last heard. */
  heardAt: number;
}
interface Handlers {
  event(e: StreamEvent): void;
  /** A connection opened that may have missed something for the lists. */
  jumped(): void;
  /** The session or the project looked at is gone: the rest is followed without it. */
  refused(): void;
  /** A connection opened at all. */
  opened(): void;
}

const SILENCE_MS = 25_000;
const HIDDEN_MS = 300_000;
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 8_000;

export class EventStream {
  private declared = new Map<number, Topics>();
  private key = 0;
  private lastId?: string;
  private topicsKey = "";
  private refused = "";
  private current?: AbortController;
  private generation = 0;
  private failures = 0;
  private timer?: ReturnType<typeof setTimeout>;
  private silence?: ReturnType<typeof setTimeout>;
  private hidden?: ReturnType<typeof setTimeout>;
  private listeners = new Set<() => void>();
  private state: StreamState = { status: "opening", heardAt: Date.now() };

  constructor(private readonly handlers: Handlers) {}

  getState = (): StreamState => this.state;
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Wakes at once when the page is shown or the network is back. */
  watchPage(): () => void {
    const shown = () => {
      clearTimeout(this.hidden);
      if (document.hidden) this.hidden = setTimeout(() => this.pause(), HIDDEN_MS);
      else if (this.state.status === "paused" || this.state.status === "away") this.schedule(0);
    };
    const online = () => this.schedule(0);
    document.addEventListener("visibilitychange", shown);
    window.addEventListener("online", online);
    return () => {
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("online", online);
    };
  }

  declare(topics: Topics): () => void {
    const key = ++this.key;
    this.declared.set(key, topics);
    this.schedule(0, true);
    return () => {
      this.declared.delete(key);
      this.schedule(0, true);
    };
  }

  private merged(): Topics {
    const all: Topics = Object.assign({}, ...this.declared.values());
    return JSON.stringify(all) === this.refused ? { user: all.user } : all;
  }

  private schedule(wait: number, onlyIfChanged = false): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const topics = this.merged();
      if (!this.declared.size) return;
      if (onlyIfChanged && JSON.stringify(topics) === this.topicsKey && this.state.status === "live") return;
      void this.open(topics);
    }, wait);
  }

  private pause(): void {
    this.current?.abort();
    this.current = undefined;
    this.set("paused");
  }

  private set(status: StreamState["status"], heard = false): void {
    const heardAt = heard ? Date.now() : this.state.heardAt;
    const changed = status !== this.state.status;
    this.state = { status, heardAt };
    if (changed) for (const l of this.listeners) l();
  }

  private async open(topics: Topics): Promise<void> {
    const generation = ++this.generation;
    const before = this.current;
    const mine = new AbortController();
    const key = JSON.stringify(topics);
    const fresh = topics.after !== undefined && !this.topicsKey.includes(JSON.stringify(topics.after));
    const cursor = fresh ? topics.after : this.lastId;
    const jump = fresh || key !== this.topicsKey || this.state.status !== "live";
    this.current = mine;
    try {
      const res = await fetch(
        url("/api/events", { user: topics.user, logs: topics.logs, session: topics.session }),
        {
          headers: {
            Accept: "text/event-stream",
            ...commonHeaders(),
            ...(cursor ? { "Last-Event-ID": cursor } : {}),
          },
          signal: mine.signal,
          credentials: "omit",
          cache: "no-store",
        },
      );
      if (res.status === 404 && (topics.logs || topics.session) && generation === this.generation) {
        this.refused = key;
        this.handlers.refused();
        this.current = before;
        return this.schedule(0);
      }
      if (!res.ok || !res.body) throw new Error(`the event stream answered ${res.status}`);
      before?.abort();
      if (generation !== this.generation) return mine.abort();
      this.topicsKey = key;
      this.lastId = cursor;
      this.failures = 0;
      this.heard(mine);
      this.handlers.opened();
      if (jump) this.handlers.jumped();
      await this.read(res.body, topics, mine);
    } catch {
      // Said by the state below: away, with the time the host was last heard.
    }
    before?.abort();
    if (generation !== this.generation || this.state.status === "paused") return;
    this.set("away");
    const wait = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
    this.schedule(wait * (0.75 + Math.random() / 2));
  }

  private heard(mine: AbortController): void {
    if (mine !== this.current) return;
    this.set("live", true);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => mine.abort(), SILENCE_MS);
  }

  private async read(body: ReadableStream<Uint8Array>, topics: Topics, mine: AbortController): Promise<void> {
    const parser = createParser({
      onEvent: (e) => {
        if (mine.signal.aborted) return;
        if (e.id !== undefined) this.lastId = e.id;
        let data: unknown;
        try {
          data = e.data ? JSON.parse(e.data) : null;
        } catch {
          return;
        }
        this.handlers.event({ type: e.event ?? "message", data, after: topics.after, logs: topics.logs });
      },
    });
    const reader = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.heard(mine);
      parser.feed(value);
    }
  }
}
