// What can be done with the picked lines: copy them, copy a link to the first, drop the pick.
// SPDX-License-Identifier: Apache-2.0
import { Link2, X } from "lucide-react";
import type { LogLine } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Copy } from "@/ui/Notes";
import { asText, inRange, type Range } from "./words";

export function Picked({ lines, range, drop }: { lines: LogLine[]; range: Range; drop(): void }) {
  const first = Math.min(range.anchor, range.to);
  const last = Math.max(range.anchor, range.to);
  const link = () => {
    const to = new URL(location.href);
    to.search = `?seq=${first}`;
    void navigator.clipboard?.writeText(to.href);
  };
  return (
    <div
      role="toolbar"
      aria-label="Picked lines"
      className="absolute bottom-3 left-4 flex items-center gap-1 rounded-md border border-line bg-raised py-0.5 pr-1 pl-3 font-sans text-sm shadow-lg"
    >
      <span className="tnum mr-1">{first === last ? `Line ${first}` : `Lines ${first} to ${last}`}</span>
      <Copy
        label={first === last ? "Copy the line" : "Copy these lines"}
        text={() => asText(lines.filter((l) => inRange(range, l.seq)))}
      />
      <Button kind="quiet" size="small" onClick={link} aria-label="Copy a link" title="Copy a link">
        <Link2 size={14} aria-hidden />
      </Button>
      <Button kind="quiet" size="small" onClick={drop} aria-label="Drop the pick" title="Drop the pick">
        <X size={14} aria-hidden />
      </Button>
    </div>
  );
}
