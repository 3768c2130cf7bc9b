// The stand-in's bus and its `/api/events`: one ring over all topics, ids `<start>-<n>`.
// SPDX-License-Identifier: Apache-2.0
const RING = 20_000;

export function createBus() {
  const start = Date.now().toString(36);
  const ring = [];
  const clients = new Set();
  let n = 0;
  return {
    publish(topics, event, data) {
      const entry = { id: ++n, topics, event, data };
      ring.push(entry);
      if (ring.length > RING) ring.shift();
      for (const send of clients) send(entry);
    },
    lastId: () => `${start}-${n}`,
    parse: (id) => (id?.startsWith(`${start}-`) ? Number(id.slice(start.length + 1)) : undefined),
    since: (id) => ring.filter((e) => e.id > id),
    clients,
    idOf: (entry) => `${start}-${entry.id}`,
  };
}

export function openEvents(world, req, res, url) {
  const { bus } = world;
  const want = new Set(["all"]);
  const user = url.searchParams.get("user");
  for (const u of user ? [user] : world.users.map((x) => x.id)) want.add(`user:${u}`);
  if (url.searchParams.get("logs")) want.add(`logs:${url.searchParams.get("logs")}`);
  if (url.searchParams.get("session")) want.add(`session:${url.searchParams.get("session")}`);
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  res.write("retry: 1000\n\n: hello\n\n");
  const send = (e) => {
    if (!e.topics.some((t) => want.has(t))) return;
    res.write(`id: ${bus.idOf(e)}\nevent: ${e.event}\ndata: ${JSON.stringify(e.data)}\n\n`);
  };
  const asked = req.headers["last-event-id"];
  const from = bus.parse(asked);
  if (asked && from === undefined) res.write(`id: ${bus.lastId()}\nevent: reset\ndata: {}\n\n`);
  else if (from !== undefined) for (const e of bus.since(from)) send(e);
  bus.clients.add(send);
  const ping = setInterval(() => res.write(": ping\n\n"), 10_000);
  res.on("close", () => {
    clearInterval(ping);
    bus.clients.delete(send);
  });
}
