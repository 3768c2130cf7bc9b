// A client of event streams (text/event-stream) for tests: keeps all that came and waits for what is to come.
//
//   const stream = openEvents(url, { headers, lastEventId, body })
//   await stream.opened;              {status, headers}
//   stream.all                        [{id, event, data}]; data is decoded JSON
//   await stream.until((e) => …)      the first event that fits, among those already there too
//   await stream.ended                the server closed it
//   stream.lastId                     for the next one's lastEventId
// SPDX-License-Identifier: Apache-2.0

const UNTIL_MS = 120_000;

class EventStream {
  constructor(url, { headers = {}, lastEventId, body } = {}) {
    this.all = [];
    this.comments = 0;
    this.lastId = lastEventId;
    this.waiters = new Set();
    this.abort = new AbortController();
    const sent = { Accept: "text/event-stream", ...(lastEventId !== undefined && { "Last-Event-ID": lastEventId }), ...headers };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    this.opened = fetch(url, { method: body === undefined ? "GET" : "POST", body: body && JSON.stringify(body), headers: sent, signal: this.abort.signal });
    this.ended = this.opened.then((response) => this.read(response)).catch((error) => this.fail(error));
    this.opened.catch(() => {});
  }

  async read(response) {
    if (response.status !== 200) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) this.take(block);
    }
    this.fail(new Error(`${response.url} ended`));
  }

  take(block) {
    const event = { event: "message", data: "" };
    let given = false;
    for (const line of block.split(/\r?\n/)) {
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (name === "") this.comments++;
      else if (name === "data") event.data += (given ? "\n" : "") + value;
      else if (name === "id") this.lastId = event.id = value;
      else if (name === "event") event.event = value;
      given ||= name === "data";
    }
    if (!given) return;
    event.data = JSON.parse(event.data);
    this.all.push(event);
    for (const waiter of [...this.waiters]) waiter.offer(event);
  }

  fail(error) {
    this.error = error;
    for (const waiter of [...this.waiters]) waiter.reject(error);
  }

  until(fits, ms = UNTIL_MS) {
    const found = this.all.find(fits);
    if (found) return Promise.resolve(found);
    if (this.error) return Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      const done = (act) => (value) => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        act(value);
      };
      const waiter = { offer: (event) => fits(event) && done(resolve)(event), reject: done(reject) };
      const seen = () => this.all.map((event) => event.event).join(" ");
      const timer = setTimeout(() => waiter.reject(new Error(`no such event within ${ms / 1000} s; there were: ${seen()}`)), ms);
      this.waiters.add(waiter);
    });
  }

  close() {
    this.abort.abort();
  }
}

export function openEvents(url, options) {
  return new EventStream(url, options);
}
