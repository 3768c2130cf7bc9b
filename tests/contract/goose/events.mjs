// SPDX-License-Identifier: Apache-2.0
//
// Reading the event streams of the Goose API: a reader with waits that have deadlines, and what holds for the events of any run.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

export const DEADLINE_MS = 30_000;

export async function until(ready, what, deadlineMs = DEADLINE_MS) {
  for (const end = Date.now() + deadlineMs; ; await sleep(20)) {
    const value = await ready();
    if (value) return value;
    assert.ok(Date.now() < end, `waited ${deadlineMs} ms for: ${what}`);
  }
}

export class EventReader {
  constructor(response, abort) {
    this.headers = response.headers;
    this.abort = abort;
    this.events = []; // {id, type, data}
    this.ended = false;
    this.finished = this.read(response.body).catch(() => {}).then(() => (this.ended = true));
  }

  async read(body) {
    let text = "";
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      text += decoder.decode(bytes, { stream: true });
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const fields = Object.fromEntries(text.slice(0, end).split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
        if (fields.event) this.events.push({ id: Number(fields.id), type: fields.event, data: JSON.parse(fields.data) });
      }
    }
  }

  close() {
    this.abort.abort();
  }

  async at(index) {
    await until(() => this.events.length > index || this.ended, `event ${index}`);
    assert.ok(this.events.length > index, `the stream ended before event ${index}: ${this.types()}`);
    return this.events[index];
  }

  async next(type, skip = 0) {
    const find = () => this.events.filter((event) => event.type === type)[skip];
    await until(() => find() || this.ended, `event ${type}`);
    assert.ok(find(), `the stream ended without ${type}: ${this.types()}`);
    return find();
  }

  async end() {
    await until(() => this.ended, "the end of the stream");
    return this.events;
  }

  types() {
    return this.events.map((event) => event.type);
  }
}

export function textOf(events) {
  return events.filter((event) => event.type === "message_delta").map((event) => event.data.text).join("");
}

export function lastOf(events) {
  return events.at(-1);
}

// The events of one whole run: in order, numbered without a gap, one end.
export function assertOrder(events, sessionId) {
  assert.equal(events[0].type, "run_started");
  assert.equal(events[1].type, "message");
  assert.equal(events[1].data.message.role, "user");
  assert.equal(events.filter((event) => event.type === "run_finished").length, 1);
  assert.equal(lastOf(events).type, "run_finished");
  assert.equal(new Set(events.map((event) => event.data.run_id)).size, 1);
  events.forEach((event, i) => {
    assert.equal(event.id, event.data.seq);
    assert.equal(event.data.session_id, sessionId);
    assert.equal(event.data.seq, events[0].data.seq + i, "no gap, no double");
    assert.ok(Date.parse(event.data.ts) > 0);
  });
}
