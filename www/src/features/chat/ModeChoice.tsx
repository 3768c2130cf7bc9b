// How much the agent may do without asking; "auto" says in red what it allows.
// SPDX-License-Identifier: Apache-2.0
import type { Mode } from "@/api/schema";

const MODES: { id: Mode; label: string; says: string }[] = [
  { id: "approve", label: "Ask before each tool", says: "" },
  { id: "smart_approve", label: "Ask before risky tools", says: "" },
  { id: "auto", label: "Auto: never ask", says: "It runs every tool without asking." },
  { id: "chat", label: "Chat only, no tools", says: "" },
];

export function ModeChoice({
  mode,
  onMode,
  blocked,
}: {
  mode: Mode;
  onMode(mode: Mode): void;
  blocked?: string;
}) {
  const says = MODES.find((m) => m.id === mode)?.says;
  return (
    <div className="flex min-w-0 items-center gap-2 text-xs">
      <select
        aria-label="Mode"
        className={`h-7 rounded border border-transparent bg-transparent pr-1 hover:bg-hover max-sm:h-10 ${mode === "auto" ? "text-red" : "text-muted"}`}
        value={mode}
        disabled={!!blocked}
        title={blocked}
        onChange={(e) => onMode(e.target.value as Mode)}
      >
        {MODES.map((m) => (
          <option key={m.id} value={m.id}>
            {m.label}
          </option>
        ))}
      </select>
      {says && <span className="text-red">{says}</span>}
    </div>
  );
}
