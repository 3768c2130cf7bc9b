// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { nameFault, START, startText } from "./templates";

test("a new rule decides what its folder is for", () => {
  for (const folder of Object.keys(START))
    expect(startText(folder)).toContain(`on = "${folder.split("/")[1]}"`);
});

test("a file name that is none is said before it is sent", () => {
  expect(nameFault("quiet_hours")).toBeUndefined();
  expect(nameFault(" quiet_hours.lua ")).toBeUndefined();
  expect(nameFault("")).toMatch(/needs a name/);
  for (const bad of ["../x", "a b", "Übel", "1st", "a/b", "x.txt"]) expect(nameFault(bad)).toMatch(/begins/);
});
