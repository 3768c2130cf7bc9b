// The views that are loaded when opened, and fetched ahead when the pointer or the focus comes near their link.
// SPDX-License-Identifier: Apache-2.0
import { lazy } from "react";

const loaders = {
  chat: () => import("@/features/chat/ChatView"),
  logs: () => import("@/features/logs/LogsView"),
  policies: () => import("@/features/policies/PoliciesView"),
  activity: () => import("@/features/activity/ActivityView"),
  settings: () => import("@/features/projects/SettingsView"),
  both: () => import("./SideBySide"),
};
export const ChatView = lazy(loaders.chat);
export const LogsView = lazy(loaders.logs);
export const PoliciesView = lazy(loaders.policies);
export const ActivityView = lazy(loaders.activity);
export const SettingsView = lazy(loaders.settings);
export const SideBySide = lazy(loaders.both);

export function fetchAhead(name: string): void {
  const load = loaders[name as keyof typeof loaders];
  if (load) void load().catch(() => {});
}
