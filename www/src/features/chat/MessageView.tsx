// One message: the person's words, the agent's parts in their order, or a notice at its place in the stream.
// SPDX-License-Identifier: Apache-2.0
import { ChevronRight, Info } from "lucide-react";
import { memo, useState } from "react";
import type { Message, Part } from "@/api/schema";
import { cn } from "@/lib/cn";
import { Ago, Badge, Copy } from "@/ui/Notes";
import { Markdown } from "./Markdown";
import { ToolCall } from "./ToolCall";

export const MessageView = memo(function MessageView({
  message: m,
  live,
}: {
  message: Message;
  live: boolean;
}) {
  if (m.role === "notice") return <Notice message={m} />;
  const mine = m.role === "user";
  const text = m.parts.map((p) => (p.type === "text" ? p.text : "")).join("");
  return (
    <article aria-label={mine ? "You" : "Agent"} className={cn("group", mine && "flex justify-end")}>
      <div className={cn("min-w-0", mine ? "max-w-[85%] rounded-md bg-accent-soft px-3 py-2" : "w-full")}>
        {mine ? (
          <p className="whitespace-pre-wrap break-words" dir="auto">
            {text}
          </p>
        ) : (
          m.parts.map((p, i) => <PartView key={keyOf(p, i)} part={p} />)
        )}
        {live && !mine && m.parts.length === 0 && <span className="text-muted">…</span>}
        <footer className="mt-1 flex min-h-5 items-center gap-2 text-muted text-xs">
          {!mine && m.model?.demo && <Badge tone="amber">demo model</Badge>}
          {!mine && m.model && !m.model.demo && <span>{m.model.name}</span>}
          {m.status === "failed" && <Badge tone="red">failed</Badge>}
          {m.status === "partial" && !live && (
            <Badge tone="amber">{mine ? "not confirmed" : "interrupted"}</Badge>
          )}
          {live && !mine && <span>writing…</span>}
          {m.created_at && !live && <Ago at={m.created_at} />}
          {text && !live && (
            <Copy
              text={text}
              label="Copy message"
              className="h-5 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 max-sm:h-10"
            />
          )}
        </footer>
      </div>
    </article>
  );
});

const keyOf = (p: Part, i: number) => (p.type === "tool" ? p.tool_call_id : `${p.type}${i}`);

function PartView({ part }: { part: Part }) {
  if (part.type === "text") return <Markdown text={part.text} />;
  if (part.type === "tool") return <ToolCall part={part} />;
  if (part.type === "thought") return <Thought text={part.text} />;
  if (part.type === "notice") return <p className="text-muted italic">{part.text}</p>;
  return null;
}

function Thought({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="my-1 text-muted text-sm">
      <button
        type="button"
        aria-expanded={open}
        className="flex items-center gap-1 max-sm:min-h-10"
        onClick={() => setOpen(!open)}
      >
        <ChevronRight size={14} aria-hidden className={cn("transition-transform", open && "rotate-90")} />
        Thinking
      </button>
      {open && <p className="whitespace-pre-wrap break-words border-line border-l-2 pl-3">{text}</p>}
    </div>
  );
}

function Notice({ message: m }: { message: Message }) {
  const text = m.parts.map((p) => ("text" in p ? p.text : "")).join(" ");
  return (
    <div className="flex items-center gap-2 border-line border-y py-1.5 text-muted text-sm" role="note">
      <Info size={14} className="shrink-0" aria-hidden />
      <span className="grow">{text}</span>
      {m.created_at && <Ago at={m.created_at} className="shrink-0 text-xs" />}
    </div>
  );
}
