// The editor's parts: Lua, our colours, marks for faults. CodeMirror is used as it comes.
// SPDX-License-Identifier: Apache-2.0
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from "@codemirror/language";
import { lua } from "@codemirror/legacy-modes/mode/lua";
import { type Diagnostic, lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";
import type { ScriptFault } from "@/api/schema";

const colours = HighlightStyle.define([
  { tag: [t.keyword, t.operatorKeyword, t.controlKeyword, t.atom, t.bool], color: "var(--hl-key)" },
  { tag: [t.string, t.special(t.string)], color: "var(--hl-str)" },
  { tag: t.number, color: "var(--hl-num)" },
  { tag: t.comment, color: "var(--hl-com)" },
  { tag: [t.standard(t.name), t.function(t.variableName)], color: "var(--hl-fn)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--bg)", color: "var(--text)" },
  // The library's marks are data: images, which the page's policy refuses.
  ".cm-lint-marker-error": { content: '"▲"', color: "var(--red)", fontSize: "11px" },
  ".cm-lint-marker-warning": { content: '"▲"', color: "var(--amber)", fontSize: "11px" },
  ".cm-lintRange-error, .cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--red) 1px",
    textUnderlineOffset: "3px",
  },
  ".cm-changedText, .cm-merge-a .cm-changedText, .cm-merge-b .cm-changedText, .cm-deletedText": {
    background: "none !important",
    borderBottom: "2px solid var(--accent)",
  },
  ".cm-scroller": {
    fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
    lineHeight: "20px",
    fontVariantLigatures: "none",
  },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--hover) 60%, transparent)",
  },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent) !important",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--active) !important", outline: "1px solid var(--edge)" },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
    fontSize: "12px",
    maxHeight: "14em",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent-soft) !important",
    color: "var(--text) !important",
  },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 10px", whiteSpace: "pre-wrap", maxWidth: "360px" },
  ".gander-hover": { padding: "6px 10px", maxWidth: "480px" },
  ".gander-hover code": {
    fontFamily: '"JetBrains Mono Variable", ui-monospace, monospace',
    fontSize: "12px",
  },
  ".gander-hover p": { color: "var(--muted)", whiteSpace: "pre-wrap", marginTop: "2px" },
  ".cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent) !important" },
});

export const reading: Extension = [
  lineNumbers(),
  StreamLanguage.define(lua),
  syntaxHighlighting(colours),
  look,
  EditorView.lineWrapping,
];

export function writing(label: string, onSave: () => void): Extension {
  return [
    reading,
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    bracketMatching(),
    closeBrackets(),
    indentOnInput(),
    indentUnit.of("  "),
    EditorState.tabSize.of(2),
    lintGutter(),
    EditorView.contentAttributes.of({ "aria-label": label }),
    keymap.of([
      {
        key: "Mod-s",
        preventDefault: true,
        run: () => {
          onSave();
          return true;
        },
      },
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...lintKeymap,
      indentWithTab,
    ]),
  ];
}

/** The host's faults of this file as marks of the editor. */
export function marksOf(doc: Text, file: string, faults: ScriptFault[]): Diagnostic[] {
  return faults
    .filter((f) => !f.file || f.file === file)
    .map((f) => {
      const line = doc.line(Math.min(doc.lines, Math.max(1, f.line ?? 1)));
      return {
        from: line.from,
        to: line.to,
        severity: f.severity === "warning" ? "warning" : "error",
        message: f.message,
      };
    });
}
