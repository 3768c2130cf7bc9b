// Completion and hover from the host's reference: facts after `facts.`, the verdicts that this decision takes, and the
// functions of `gander.*` in the scripts that may use them. Pure: given a line and a reference, says what fits.
// SPDX-License-Identifier: Apache-2.0
import type { Reference } from "@/api/schema";

export interface Offer {
  label: string;
  type: "property" | "function" | "keyword" | "variable";
  detail?: string;
  doc?: string;
}
export interface Found {
  /** How many characters before the cursor the offer replaces. */
  back: number;
  offers: Offer[];
}

const KEYWORDS =
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  );

/** `policies/idle/x.lua` decides idle; `cleanup/x.lua` decides cleanup; another script decides nothing. */
export function decisionOf(file: string): string | undefined {
  const [folder, decision] = file.split("/");
  if (folder === "policies") return decision;
  return folder === "cleanup" ? "cleanup" : undefined;
}

const fits = (policies: string[] | undefined, decision?: string) =>
  decision === undefined || !policies || policies.includes(decision);

/** What may stand at the end of `before` (the line up to the cursor), or nothing. */
export function offersAt(before: string, ref: Reference, decision?: string): Found | undefined {
  if (/--/.test(before.replace(/"[^"]*"|'[^']*'/g, ""))) return undefined;
  const chain = before.match(/(?:^|[^\w.])((?:[a-z_]\w*\.)+)(\w*)$/i);
  if (chain) {
    const path = (chain[1] ?? "").slice(0, -1);
    const offers =
      path === "facts" || path.startsWith("facts.") ? facts(path.slice(6), ref, decision) : calls(path, ref);
    return offers.length ? { back: (chain[2] ?? "").length, offers } : undefined;
  }
  const word = before.match(/(?:^|[^\w.:"'])([a-z_]\w*)$/i)?.[1];
  if (word === undefined) return undefined;
  return { back: word.length, offers: words(ref, decision) };
}

function facts(path: string, ref: Reference, decision?: string): Offer[] {
  const under = path ? `${path}.` : "";
  return ref.facts
    .filter((f) => f.name.startsWith(under) && !f.name.slice(under.length).includes("."))
    .filter((f) => fits(f.policies, decision))
    .map((f) => ({
      label: f.name.slice(under.length),
      type: "property",
      // A table written out is too long for a list; its fields are offered after the next dot.
      detail: f.type.startsWith("{") ? "table" : f.type,
      doc: f.doc,
    }));
}

function calls(path: string, ref: Reference): Offer[] {
  const of = ref.modules.find((m) => m.name === path || m.name.split(".").at(-1) === path);
  const prefix = `${path.split(".").at(-1)}.`;
  return (of?.functions ?? []).map((f) => ({
    label: f.name.startsWith(prefix) ? f.name.slice(prefix.length) : (f.name.split(/[.:]/).at(-1) ?? f.name),
    type: "function",
    detail: f.signature,
    doc: f.doc,
  }));
}

function words(ref: Reference, decision?: string): Offer[] {
  const verdicts: Offer[] = decision
    ? ref.verdicts
        .filter((v) => fits(v.policies, decision))
        .map((v) => ({ label: v.name, type: "function", detail: v.signature, doc: v.doc }))
    : [];
  const more: Offer[] = decision
    ? [{ label: "facts", type: "variable", doc: "What the decision rests on." }]
    : [];
  return [...verdicts, ...more, ...KEYWORDS.map((label): Offer => ({ label, type: "keyword" }))];
}

/** What the name at a place of a line means, for a hover. */
export function meaningOf(line: string, at: number, ref: Reference, decision?: string) {
  for (const m of line.matchAll(/[a-z_]\w*(?:\.[a-z_]\w*)*/gi)) {
    const from = m.index;
    if (at < from || at > from + m[0].length) continue;
    // The chain is read up to the word under the pointer.
    const rest = m[0].slice(at - from).match(/^\w*/)?.[0].length ?? 0;
    const name = m[0].slice(0, at - from + rest);
    const known = lookUp(name, ref, decision);
    return known && { from, to: from + name.length, ...known };
  }
  return undefined;
}

function lookUp(name: string, ref: Reference, decision?: string): { head: string; doc: string } | undefined {
  if (name.startsWith("facts.")) {
    const fact = ref.facts.find((f) => f.name === name.slice(6));
    if (!fact) return undefined;
    const known = fits(fact.policies, decision) ? "" : ` (not known in ${decision})`;
    return { head: `${name}: ${fact.type}${known}`, doc: fact.doc };
  }
  const verdict = decision ? ref.verdicts.find((v) => v.name === name) : undefined;
  if (verdict) return { head: verdict.signature, doc: verdict.doc };
  for (const m of ref.modules) {
    const f = m.functions.find((one) => one.name === name);
    if (f) return { head: f.signature, doc: f.doc };
  }
  return undefined;
}
