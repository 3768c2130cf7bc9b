// The versions of a file: who, when, what differs from now, and bringing one back into the editor.
// SPDX-License-Identifier: Apache-2.0
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { send } from "@/api/client";
import { scriptPath, useScriptHistory } from "@/api/hooks";
import { cn } from "@/lib/cn";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Ago, Bones, ErrorNote } from "@/ui/Notes";
import { reading } from "./codemirror";

interface Props {
  file: string;
  current: string;
  writable: boolean;
  onBring(text: string): void;
  close(): void;
}

export function History({ file, current, writable, onBring, close }: Props) {
  const history = useScriptHistory(file, true);
  const [picked, setPicked] = useState<number>();
  const then = useQuery({
    queryKey: ["script", file, picked],
    queryFn: async () =>
      (
        await send("GET", scriptPath(file), {
          query: { generation: picked },
          headers: { Accept: "text/plain, */*" },
        })
      ).text(),
    enabled: picked !== undefined,
  });
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`History of ${file}`}
      wide
      footer={
        writable && (
          <Button
            kind="primary"
            disabled={then.data === undefined || then.data === current}
            onClick={() => {
              if (then.data !== undefined) onBring(then.data);
              close();
            }}
          >
            Bring it back into the editor
          </Button>
        )
      }
    >
      {history.isPending && <Bones />}
      <ErrorNote error={history.error} />
      <ul className="flex max-h-48 flex-col overflow-auto">
        {history.data?.items.map((v) => (
          <li key={v.generation}>
            <button
              type="button"
              aria-pressed={picked === v.generation}
              className={cn(
                "flex min-h-8 w-full items-center gap-3 rounded px-2 text-left hover:bg-hover",
                picked === v.generation && "bg-active",
              )}
              onClick={() => setPicked(v.generation)}
            >
              <span className="tnum">Generation {v.generation}</span>
              {v.who && <span className="text-muted">{v.who}</span>}
              {v.at && <Ago at={v.at} className="ml-auto text-muted" />}
            </button>
          </li>
        ))}
      </ul>
      {history.data?.items.length === 0 && <p className="text-muted">No version is kept yet.</p>}
      <ErrorNote error={then.error} />
      {then.data !== undefined && <Diff then={then.data} now={current} />}
    </Dialog>
  );
}

function Diff({ then, now }: { then: string; now: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const view = new EditorView({
      parent: box.current,
      doc: now,
      extensions: [
        reading,
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ "aria-label": "What changed since then" }),
        unifiedMergeView({ original: then, mergeControls: false }),
      ],
    });
    return () => view.destroy();
  }, [then, now]);
  if (then === now) return <p className="mt-2 text-muted">This is what is there now.</p>;
  return (
    <div
      ref={box}
      tabIndex={0}
      role="group"
      aria-label="The difference"
      className="mt-2 max-h-[40vh] overflow-auto rounded border border-line"
    />
  );
}
