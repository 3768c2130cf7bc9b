// Which user is picked: in the address where there is one, else the last one picked.
// SPDX-License-Identifier: Apache-2.0
import { recall, remember } from "./storage";

export const lastUser = () => recall("user") ?? "";
export const rememberUser = (id: string) => remember("user", id);

export const paths = {
  user: (user: string) => `/u/${encodeURIComponent(user)}`,
  project: (user: string, project: string, tab = "chat") =>
    `/u/${encodeURIComponent(user)}/p/${project}/${tab}`,
  session: (user: string, project: string, session: string) =>
    `/u/${encodeURIComponent(user)}/p/${project}/chat/${session}`,
  policy: (file: string, line?: number) => `/policies/${file}${line ? `?line=${line}` : ""}`,
};
