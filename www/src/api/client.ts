// The one place that calls fetch for requests. Same origin, no cookies; the picked user goes along
// as `X-Gander-User` so that the record says who acted.
// SPDX-License-Identifier: Apache-2.0

import { readError } from "./errors";
import type { Page } from "./schema";

type Query = Record<string, string | number | boolean | undefined>;
export interface Options {
  query?: Query;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let actingUser = "";
export function setActingUser(id: string): void {
  actingUser = id;
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== "") search.set(key, String(value));
  const tail = search.toString();
  return tail ? `${path}?${tail}` : path;
}

/** Path segments are always encoded here: `path\`/api/users/${id}\``. */
export function path(strings: TemplateStringsArray, ...values: string[]): string {
  return strings.reduce(
    (out, piece, i) => out + piece + (i < values.length ? encodeURIComponent(values[i] ?? "") : ""),
    "",
  );
}

export function commonHeaders(): Record<string, string> {
  return actingUser ? { "X-Gander-User": actingUser } : {};
}

export async function send(method: string, to: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    ...commonHeaders(),
    ...options.headers,
  };
  let body: string | undefined;
  if (options.text !== undefined) {
    body = options.text;
    headers["Content-Type"] ??= "text/plain; charset=utf-8";
  } else if (options.body !== undefined) {
    body = JSON.stringify(options.body);
    headers["Content-Type"] = "application/json";
  }
  const res = await fetch(url(to, options.query), {
    method,
    headers,
    body,
    signal: options.signal,
    credentials: "omit",
    cache: "no-store",
  });
  if (!res.ok) throw await readError(res);
  return res;
}

export async function json<T>(method: string, to: string, options?: Options): Promise<T> {
  const res = await send(method, to, options);
  return (res.status === 204 ? undefined : await res.json()) as T;
}

/** Reads a list to its end, and the event id its first page was true at. */
export async function all<T>(
  to: string,
  options: Options = {},
  max = 5000,
): Promise<{ items: T[]; eventId?: string }> {
  const items: T[] = [];
  let after: string | undefined;
  let eventId: string | undefined;
  do {
    const res = await send("GET", to, { ...options, query: { ...options.query, limit: 200, after } });
    eventId ??= res.headers.get("X-Gander-Event-Id") ?? undefined;
    const page = (await res.json()) as Page<T>;
    items.push(...page.items);
    after = page.next ?? undefined;
  } while (after && items.length < max);
  return { items, eventId };
}
