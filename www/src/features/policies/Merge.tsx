// The file was changed by someone else: both versions side by side, nothing overwritten until the reader decides.
// SPDX-License-Identifier: Apache-2.0
import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { Button } from "@/ui/Button";
import { reading, writing } from "./codemirror";

interface Props {
  file: string;
  mine: string;
  theirs: string;
  /** The text to go on with, on top of theirs; it is not saved yet. */
  onDone(text: string): void;
}

export function Merge({ file, mine, theirs, onDone }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<MergeView>(null);
  useEffect(() => {
    if (!box.current) return;
    const merge = new MergeView({
      parent: box.current,
      a: {
        doc: theirs,
        extensions: [
          reading,
          EditorState.readOnly.of(true),
          EditorView.contentAttributes.of({ "aria-label": "Theirs" }),
        ],
      },
      b: { doc: mine, extensions: writing(`Yours: ${file}`, () => {}) },
      revertControls: "a-to-b",
      gutter: true,
    });
    view.current = merge;
    return () => merge.destroy();
  }, [file, mine, theirs]);
  return (
    <>
      <p role="alert" className="border-line border-b bg-amber-soft px-4 py-2 text-amber">
        {file} was changed by someone else. Left is theirs, right is yours; the arrows take a piece over.
      </p>
      <div ref={box} className="min-h-0 grow overflow-auto" />
      <footer className="flex flex-wrap justify-end gap-2 border-line border-t bg-panel px-4 py-2">
        <Button size="small" onClick={() => onDone(theirs)}>
          Take theirs
        </Button>
        <Button
          kind="primary"
          size="small"
          onClick={() => onDone(view.current?.b.state.doc.toString() ?? mine)}
        >
          Go on with the right side
        </Button>
      </footer>
    </>
  );
}
