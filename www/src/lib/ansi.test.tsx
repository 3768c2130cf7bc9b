// SPDX-License-Identifier: Apache-2.0
import { cleanup, render } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { ansiSpans } from "./ansi";

afterEach(cleanup);
const show = (text: string) => render(<p>{ansiSpans(text)}</p>).container;

describe("terminal colours", () => {
  it("become spans with the page's own colours", () => {
    const box = show("\u001b[31mred\u001b[0m plain");
    expect(box.querySelector("span")?.className).toContain("text-red");
    expect(box.textContent).toBe("red plain");
  });
  it("never make HTML of what was printed", () => {
    const box = show("\u001b[1m<img src=x onerror=alert(1)> & \"q\" 'r'\u001b[0m");
    expect(box.querySelector("img")).toBeNull();
    expect(box.textContent).toBe("<img src=x onerror=alert(1)> & \"q\" 'r'");
  });
  it("leave text without codes alone", () => {
    expect(ansiSpans("a < b")).toBe("a < b");
  });
});
