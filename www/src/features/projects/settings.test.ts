// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Project } from "@/api/schema";
import { changesOf, draftOf } from "./settings";

const project: Project = {
  id: "p",
  user_id: "ada",
  name: "swan",
  source: { type: "git", url: "https://example.org/a.git", revision: "main", password: "***" },
  settings: {
    idle_minutes: 10,
    env: { KEY: "***", OTHER: "***" },
    egress: { allow: ["a.example"], deny: ["10.0.0.0/8"] },
  },
  state: "inactive",
  desired: "inactive",
  revision: 4,
  created_at: "2026-01-01T00:00:00.000Z",
};
const change = (more: Partial<ReturnType<typeof draftOf>>) =>
  changesOf(project, { ...draftOf(project), ...more });

describe("the patch a form makes", () => {
  it("is empty when nothing changed", () => expect(change({})).toEqual({}));
  it("names what changed alone", () => expect(change({ name: " goose " })).toEqual({ name: "goose" }));
  it("removes an emptied number, keeps zero, leaves nonsense for the host to name", () => {
    expect(change({ idle_minutes: "" })).toEqual({ settings: { idle_minutes: null } });
    expect(change({ idle_minutes: "0" })).toEqual({ settings: { idle_minutes: 0 } });
    expect(change({ idle_minutes: "soon" })).toEqual({ settings: { idle_minutes: "soon" } });
  });
  it("never sends back a kept value of env", () => {
    const env = [
      { key: "KEY", value: "new", kept: true },
      { key: "MORE", value: "", kept: false },
    ];
    expect(change({ env })).toEqual({ settings: { env: { KEY: "new", MORE: "", OTHER: null } } });
  });
  it("keeps the denied networks when the allowed hosts change", () =>
    expect(change({ allow: "a.example\nb.example" })).toEqual({
      settings: { egress: { allow: ["a.example", "b.example"], deny: ["10.0.0.0/8"] } },
    }));
  it("names as null what another source no longer has", () =>
    expect(change({ source: { type: "image", image: "x" } })).toEqual({
      source: { type: "image", image: "x", url: null, revision: null, password: null },
    }));
});
