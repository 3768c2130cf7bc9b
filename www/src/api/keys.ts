// The names of what the Query cache holds, in one place.
// SPDX-License-Identifier: Apache-2.0

export const keys = {
  system: ["system"] as const,
  users: ["users"] as const,
  projects: (user: string) => ["projects", user] as const,
  contents: (user: string, project: string) => ["contents", user, project] as const,
  sessions: (user: string, project: string) => ["sessions", user, project] as const,
  userSessions: (user: string) => ["user-sessions", user] as const,
  chat: (user: string, project: string, session: string) => ["chat", user, project, session] as const,
  logs: (user: string, project: string, filter: object) => ["logs", user, project, filter] as const,
  activity: (user: string, project: string) => ["activity", user, project] as const,
  reference: ["reference"] as const,
  scripts: ["scripts"] as const,
  script: (file: string) => ["script", file] as const,
  history: (file: string) => ["history", file] as const,
};
