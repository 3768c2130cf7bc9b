// SPDX-License-Identifier: Apache-2.0
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Markdown } from "./Markdown";

afterEach(cleanup);
const html = (text: string) => render(<Markdown text={text} />).container;

describe("an agent's Markdown", () => {
  it("shows raw HTML as text", () => {
    const box = html('Hi <script>alert(1)</script> <img src="x" onerror="alert(1)"> <b>bold</b>');
    expect(box.querySelector("script, img, b")).toBeNull();
    expect(box.textContent).toContain("<b>bold</b>");
  });
  it("makes a link of a remote image", () => {
    const box = html("![a pixel](https://example.org/p.png)");
    expect(box.querySelector("img")).toBeNull();
    expect(screen.getByRole("link", { name: "a pixel" }).getAttribute("href")).toBe(
      "https://example.org/p.png",
    );
  });
  it("opens links apart, without handing the page over", () => {
    html("[docs](https://example.org)");
    const link = screen.getByRole("link");
    expect(link.getAttribute("target")).toBe("_blank");
    expect(link.getAttribute("rel")).toContain("noopener");
  });
  it("drops a script as an address", () => {
    const box = html("[x](javascript:alert(1))");
    expect(box.innerHTML).not.toContain("javascript:");
  });
  it("names a code block's language and can copy it", () => {
    const box = html("```js\nconst a = 1;\n```");
    expect(box.querySelector(".code-head span")?.textContent).toBe("js");
    expect(screen.getByRole("button", { name: "Copy code" })).toBeTruthy();
  });
  it("lets a table scroll inside itself", () => {
    expect(html("| a | b |\n|---|---|\n| 1 | 2 |").querySelector(".table-box table")).not.toBeNull();
  });
  it("survives nesting that nobody reads: quotes, lists, emphasis", () => {
    for (const bomb of [">".repeat(10_000), "- ".repeat(10_000), "[".repeat(10_000), "*_".repeat(3_000)]) {
      const box = html(`${bomb} the end`);
      expect(box.textContent).toContain("the end");
      expect(box.querySelectorAll("blockquote, li").length).toBeLessThan(100);
    }
  });
  it("shows what is far too long as it is", () => {
    const box = html(`# not a heading\n${"x".repeat(250_000)}`);
    expect(box.querySelector("h1")).toBeNull();
    expect(box.textContent).toContain("# not a heading");
  });
});
