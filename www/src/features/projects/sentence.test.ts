// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Project } from "@/api/schema";
import { clock } from "@/lib/time";
import { firstAct, headSentence, rowWords } from "./sentence";

const now = Date.parse("2026-01-01T12:00:00.000Z");
const iso = (ms: number) => new Date(now + ms).toISOString();
const project = (more: Partial<Project>): Project => ({
  id: "p",
  user_id: "ada",
  name: "p",
  state: "inactive",
  desired: "inactive",
  revision: 1,
  created_at: iso(-86_400_000),
  ...more,
});
const say = (more: Partial<Project>) => headSentence(project(more), now);

describe("the sentence of the head", () => {
  it("of one that never ran", () => expect(say({})).toBe("Never started."));
  it("of one that was stopped, with the reason", () =>
    expect(say({ stopped_at: iso(-7_200_000), reason: { text: "idle for 10 minutes" } })).toBe(
      "Stopped 2 h ago. Idle for 10 minutes.",
    ));
  it("of an active one that will stop", () =>
    expect(
      say({ state: "active", active_at: iso(-7_200_000), next: { act: "stop", at: iso(600_000) } }),
    ).toBe(`Active for 2 h; stops at ${clock(iso(600_000))} if nobody uses it.`));
  it("of an active one that cannot chat", () =>
    expect(say({ state: "active", health: { ok: true, can_chat: false, reason: "no provider key" } })).toBe(
      "Active, but it cannot chat: no provider key.",
    ));
  it("of one that does not answer", () =>
    expect(say({ state: "active", health: { ok: false, failures: 2, reason: "timeout" } })).toContain(
      "2 missed in a row",
    ));
  it("of a queued one", () =>
    expect(
      say({
        state: "creating",
        phase: "queued",
        queue: { position: 3 },
        reason: { text: "all places are taken" },
      }),
    ).toBe("Number 3 in the queue: all places are taken."));
  it("of one that waits to try again", () =>
    expect(
      say({
        state: "creating",
        phase: "waiting_retry",
        retry: { count: 2, max: 3, next_at: iso(8_000) },
        last_error: { code: "unavailable", message: "the provider answered 503" },
      }),
    ).toBe("Retry 2 of 3 in 8 s: the provider answered 503."));
  it("of one that is being made", () =>
    expect(
      say({
        state: "creating",
        phase: "installing",
        phase_since: iso(-4_000),
        progress: { step: 3, of: 5, text: "installing", steps: [] },
      }),
    ).toBe("Installing, step 3 of 5, 4 s."));
  it("of one that stops", () =>
    expect(say({ state: "stopping", phase: "saving", phase_since: iso(-1_000) })).toBe(
      "Stopping: saving the chats, 1 s.",
    ));
  it("of one in error", () =>
    expect(say({ state: "error", last_error: { code: "x", message: "it broke" } })).toBe("It broke."));
  it("of one that is being deleted, whatever its state", () =>
    expect(say({ state: "stopping", desired: "deleted" })).toContain("Being deleted"));
});

describe("the first act", () => {
  it.each([
    ["inactive", "inactive", "activate"],
    ["creating", "active", "cancel"],
    ["creating", "inactive", undefined],
    ["active", "active", "deactivate"],
    ["stopping", "inactive", "activate"],
    ["stopping", "active", "cancel"],
    ["error", "active", "retry"],
    ["active", "deleted", undefined],
  ] as const)("of %s wanted %s is %s", (state, desired, act) =>
    expect(firstAct(project({ state, desired }))).toBe(act),
  );
});

describe("the words of a row", () => {
  it("say the step while it moves, the error when it failed, else when it was used", () => {
    expect(
      rowWords(
        project({ state: "creating", progress: { step: 3, of: 5, text: "installing", steps: [] } }),
        now,
      ),
    ).toBe("installing 3/5");
    expect(rowWords(project({ state: "error", last_error: { code: "x", message: "it broke" } }), now)).toBe(
      "it broke",
    );
    expect(rowWords(project({ last_activity_at: iso(-120_000) }), now)).toBe("2m");
  });
});
