// Where the next message is written. Enter sends, Shift+Enter breaks, Escape asks to cancel; the draft is kept.
// While the agent runs, the message waits and is sent when the run ends.
// SPDX-License-Identifier: Apache-2.0
import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from "react";
import type { Mode } from "@/api/schema";
import { useRemembered } from "@/lib/storage";
import { Button } from "@/ui/Button";
import { ModeChoice } from "./ModeChoice";

interface Props {
  draftKey: string;
  running: boolean;
  blocked?: string;
  waiting?: string;
  mode: Mode;
  onMode(mode: Mode): void;
  onSend(text: string): void;
  onWait(text: string | undefined): void;
  onCancel(): void;
}

export function Composer({
  draftKey,
  running,
  blocked,
  waiting,
  mode,
  onMode,
  onSend,
  onWait,
  onCancel,
}: Props) {
  const [text, setText] = useRemembered(`draft.${draftKey}`, "");
  const box = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight, window.innerHeight * 0.4)}px`;
  }, [text]);
  useEffect(() => {
    if (!running && waiting !== undefined && !blocked) {
      onWait(undefined);
      onSend(waiting);
    }
  }, [running, waiting, blocked, onWait, onSend]);

  const submit = () => {
    const ready = text.trim();
    if (!ready || blocked) return;
    if (running) onWait(waiting === undefined ? ready : `${waiting}\n${ready}`);
    else onSend(ready);
    setText("");
  };
  const keys = (e: KeyboardEvent) => {
    if (e.key === "Enter" && !e.shiftKey && !e.nativeEvent.isComposing) {
      e.preventDefault();
      submit();
    }
    if (e.key === "Escape" && running) onCancel();
  };
  return (
    <div className="border-line border-t px-4 pt-2 pb-3 max-sm:px-3">
      <div className="mx-auto max-w-3xl">
        {waiting !== undefined && (
          <div className="mb-2 flex items-center gap-2 rounded-md bg-hover px-2 py-1 text-sm">
            <span className="min-w-0 grow truncate">Sent when the run ends: {waiting}</span>
            <Button
              kind="quiet"
              size="small"
              onClick={() => {
                onWait(undefined);
                setText(waiting);
              }}
            >
              Edit
            </Button>
          </div>
        )}
        <div className="rounded-md border border-edge bg-bg focus-within:outline-2 focus-within:outline-accent">
          <textarea
            ref={box}
            rows={2}
            aria-label="Message to the agent"
            placeholder={running ? "Write the next message" : "Ask the agent, or tell it what to do"}
            className="block w-full resize-none bg-transparent px-3 py-2 outline-none"
            value={text}
            onChange={(e) => setText(e.target.value)}
            onKeyDown={keys}
          />
          <div className="flex items-center gap-2 px-2 pb-2">
            <ModeChoice mode={mode} onMode={onMode} blocked={blocked} />
            <span className="ml-auto text-muted text-xs">
              <span className="max-sm:hidden">{blocked ?? "Enter sends"}</span>
            </span>
            {running && (
              <Button size="small" onClick={onCancel} title="Escape">
                <Square size={12} aria-hidden /> Cancel
              </Button>
            )}
            <Button
              kind="primary"
              size="small"
              blocked={blocked}
              disabled={!text.trim()}
              onClick={submit}
              aria-label="Send"
            >
              <ArrowUp size={16} aria-hidden />
            </Button>
          </div>
        </div>
      </div>
    </div>
  );
}
