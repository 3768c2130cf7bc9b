// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { printable, visible } from "./visible";

test("what turns or hides text is written out", () => {
  expect(visible("rm \u202etxt.exe")).toBe("rm ‹U+202E›txt.exe");
  expect(visible("a\u200bb\u0000")).toBe("a‹U+200B›b‹U+0000›");
});

test("scripts, emoji and layout stay as they are", () => {
  for (const text of ["שלום", "👩‍👩‍👧", "می‌خواهم", "a\tb\nc", "\u001b[31m"]) expect(visible(text)).toBe(text);
});

test("binary rubbish in an output is dots, line ends are line ends", () => {
  expect(printable("a\u0000\u0007b\r\nc")).toBe("a··b\nc");
});
