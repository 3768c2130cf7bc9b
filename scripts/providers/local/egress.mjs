// SPDX-License-Identifier: Apache-2.0
//
// The proxy of an egress allow list: HTTP (absolute URIs) and CONNECT, to listed hosts only.
//
// It listens on a socket made inside the sandbox's network (an inherited descriptor) and dials in the host's. A host
// name is looked up here and its address checked, so that a listed name cannot lead to this machine's own networks. It
// ends when the FIFO that the sandbox holds open reaches its end.
import dns from "node:dns/promises";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";

const policy = JSON.parse(process.argv[2]);
const CONNECT_MS = 15_000;
const IDLE_MS = 600_000;
const CONNECTIONS_MAX = 256;

const number = (address) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const within = (address, nets) =>
  nets.some((cidr) => {
    const [base, bits = "32"] = cidr.split("/");
    const size = 2 ** (32 - Number(bits));
    return Math.floor(number(address) / size) === Math.floor(number(base) / size);
  });
const listed = (host) =>
  policy.hosts.some((entry) => (entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry));

// The address to dial for a host that the sandbox asks for; throws a sentence when it may not.
async function addressOf(name) {
  const host = name.toLowerCase().replace(/\.$/, "");
  if (net.isIPv4(host)) {
    if (within(host, policy.nets) && !within(host, policy.refused)) return host;
    throw new Error(`${host} is not on the project's egress list`);
  }
  if (!listed(host)) throw new Error(`${host} is not on the project's egress list`);
  const found = await dns.lookup(host, { family: 4, all: true });
  const good = found.find(({ address }) => !within(address, policy.refused) || within(address, policy.nets));
  if (!good) throw new Error(`${host} has no address that a sandbox may reach`);
  return good.address;
}

function dial(host, port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error("connect timeout")));
    socket.once("connect", () => {
      socket.setTimeout(IDLE_MS, () => socket.destroy());
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

const server = http.createServer(async (request, response) => {
  try {
    const url = new URL(request.url);
    if (url.protocol !== "http:") throw new Error("only http: and CONNECT");
    const address = await addressOf(url.hostname);
    const headers = { ...request.headers, host: url.host };
    delete headers["proxy-connection"];
    delete headers["proxy-authorization"];
    const options = { host: address, port: url.port || 80, method: request.method, path: url.pathname + url.search, headers };
    const upstream = http.request({ ...options, agent: false, timeout: IDLE_MS }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    upstream.on("timeout", () => upstream.destroy());
    upstream.on("error", (error) => refuse(response, 502, error));
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  } catch (error) {
    refuse(response, 403, error);
  }
});

function refuse(response, status, error) {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { "content-type": "text/plain" }).end(`${error.message}\n`);
}

server.on("connect", async (request, client, head) => {
  client.on("error", () => client.destroy());
  try {
    const [, host, port] = /^([^:]+):(\d+)$/.exec(request.url) ?? [];
    if (!host) throw new Error("CONNECT wants host:port");
    const upstream = await dial(await addressOf(host), Number(port));
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    upstream.write(head);
    client.pipe(upstream).pipe(client);
  } catch (error) {
    client.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n${error.message}\n`);
  }
});

server.maxConnections = CONNECTIONS_MAX;
server.requestTimeout = IDLE_MS;
server.listen({ fd: policy.listen_fd });
fs.createReadStream(null, { fd: policy.life_fd }).on("close", () => process.exit(0)).resume();
