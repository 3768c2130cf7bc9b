// The reference in the editor: completion while typing, the sentence of a name under the pointer. A host without the
// reference has neither, and nothing is said about it.
// SPDX-License-Identifier: Apache-2.0
import { autocompletion, type CompletionContext, completionKeymap } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { hoverTooltip, keymap } from "@codemirror/view";
import type { Reference } from "@/api/schema";
import { decisionOf, meaningOf, offersAt } from "./complete";

export function knowing(file: string, ref: Reference): Extension {
  const decision = decisionOf(file);
  const source = (context: CompletionContext) => {
    const line = context.state.doc.lineAt(context.pos);
    const found = offersAt(line.text.slice(0, context.pos - line.from), ref, decision);
    if (
      !found ||
      (found.back === 0 && !context.explicit && !/\.$/.test(line.text.slice(0, context.pos - line.from)))
    )
      return null;
    return {
      from: context.pos - found.back,
      validFor: /^\w*$/,
      options: found.offers.map(({ doc, ...offer }) => ({ ...offer, info: doc || undefined })),
    };
  };
  return [
    autocompletion({ override: [source], icons: false }),
    keymap.of(completionKeymap),
    hoverTooltip((view, pos) => {
      const line = view.state.doc.lineAt(pos);
      const known = meaningOf(line.text, pos - line.from, ref, decision);
      if (!known) return null;
      return {
        pos: line.from + known.from,
        end: line.from + known.to,
        above: true,
        create: () => ({ dom: card(known.head, known.doc) }),
      };
    }),
  ];
}

function card(head: string, doc: string): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "gander-hover";
  const code = document.createElement("code");
  code.textContent = head;
  dom.append(code);
  if (doc) {
    const p = document.createElement("p");
    p.textContent = doc;
    dom.append(p);
  }
  return dom;
}
