// Terminal colours as spans. The library makes HTML strings; only its reading of the codes is used, never its HTML.
// SPDX-License-Identifier: Apache-2.0
import { AnsiUp } from "ansi_up";
import type { ReactNode } from "react";

const TONES: Record<string, string> = {
  black: "text-muted",
  red: "text-red",
  green: "text-green",
  yellow: "text-amber",
  blue: "text-blue",
  magenta: "text-[var(--hl-key)]",
  cyan: "text-accent",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the codes to find
const CODES = /\u001b/;
const ENTITY: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#x27;": "'",
};

export function ansiSpans(text: string): ReactNode {
  if (!CODES.test(text)) return text;
  const ansi = new AnsiUp();
  ansi.use_classes = true;
  ansi.url_allowlist = {};
  const html = ansi.ansi_to_html(text);
  const out: ReactNode[] = [];
  const piece = /<span([^>]*)>([\s\S]*?)<\/span>|([^<]+)/g;
  for (const [, attributes, inside, bare] of html.matchAll(piece)) {
    const plain = (inside ?? bare ?? "").replace(/&(amp|lt|gt|quot|#x27);/g, (e) => ENTITY[e] ?? e);
    const colour = attributes?.match(/ansi-(?:bright-)?(\w+)-fg/)?.[1];
    const bold = attributes?.includes("bold") ? "font-semibold" : "";
    if (!attributes) out.push(plain);
    else
      out.push(
        <span key={out.length} className={`${TONES[colour ?? ""] ?? ""} ${bold}`}>
          {plain}
        </span>,
      );
  }
  return out;
}
