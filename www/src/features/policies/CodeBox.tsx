// A CodeMirror editor as a component: the text goes out by `onChange`, faults come in as marks.
// SPDX-License-Identifier: Apache-2.0
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useReference } from "@/api/hooks";
import type { ScriptFault } from "@/api/schema";
import { marksOf, writing } from "./codemirror";
import { knowing } from "./knowing";

interface Props {
  file: string;
  text: string;
  readOnly: boolean;
  faults: ScriptFault[];
  line?: number;
  onChange(text: string): void;
  onSave(): void;
}

export function CodeBox({ file, text, readOnly, faults, line, onChange, onSave }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const calls = useRef({ onChange, onSave });
  calls.current = { onChange, onSave };
  const first = useRef({ text, readOnly });
  const lock = useRef(new Compartment());
  const known = useRef(new Compartment());
  const reference = useReference();
  useEffect(() => {
    if (!box.current) return;
    const editor = new EditorView({
      parent: box.current,
      doc: first.current.text,
      extensions: [
        writing(file, () => calls.current.onSave()),
        known.current.of([]),
        lock.current.of(EditorState.readOnly.of(first.current.readOnly)),
        EditorView.updateListener.of((u) => u.docChanged && calls.current.onChange(u.state.doc.toString())),
      ],
    });
    view.current = editor;
    return () => editor.destroy();
  }, [file]);
  useEffect(() => {
    if (reference) view.current?.dispatch({ effects: known.current.reconfigure(knowing(file, reference)) });
  }, [file, reference]);
  useEffect(() => {
    view.current?.dispatch({ effects: lock.current.reconfigure(EditorState.readOnly.of(readOnly)) });
  }, [readOnly]);
  useEffect(() => {
    const v = view.current;
    if (!v || v.state.doc.toString() === text) return;
    v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    const v = view.current;
    if (v) v.dispatch(setDiagnostics(v.state, marksOf(v.state.doc, file, faults)));
  }, [faults, file]);
  useEffect(() => {
    const v = view.current;
    if (!v || !line) return;
    const at = v.state.doc.line(Math.min(line, v.state.doc.lines));
    v.dispatch({
      selection: { anchor: at.from },
      effects: EditorView.scrollIntoView(at.from, { y: "center" }),
    });
    v.focus();
  }, [line]);
  return <div ref={box} className="min-h-0 grow overflow-hidden" />;
}
