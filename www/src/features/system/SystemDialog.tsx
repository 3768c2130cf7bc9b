// What is in force on this host, in full, and a copy of it for a bug report. The host sends no secret here.
// SPDX-License-Identifier: Apache-2.0
import { dangers, useStream, useSystem } from "@/api/hooks";
import type { System } from "@/api/schema";
import { exact } from "@/lib/time";
import { Dialog } from "@/ui/Dialog";
import { Copy, ErrorNote } from "@/ui/Notes";

export default function SystemDialog({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange(open: boolean): void;
}) {
  const system = useSystem();
  const stream = useStream();
  const s = system.data;
  // That the network is trusted is said above them, in red.
  const warnings = (s?.warnings ?? []).filter((w) => !warningText(w).includes("trust_network"));
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="System" wide>
      {!s && <ErrorNote error={system.error} />}
      {s && (
        <div className="flex flex-col gap-4">
          {dangers(s).open && (
            <p className="rounded-md bg-red-soft px-3 py-2 font-medium text-red">
              trust_network is on: anyone who reaches this address can run code here.
            </p>
          )}
          {warnings.length > 0 && (
            <ul className="flex flex-col gap-1 rounded-md bg-amber-soft px-3 py-2 text-amber">
              {warnings.map((w) => (
                <li key={warningText(w)}>{warningText(w)}</li>
              ))}
            </ul>
          )}
          <Rows rows={rowsOf(s, stream.status)} />
          <section className="flex flex-col gap-2">
            <h3 className="font-semibold">Providers</h3>
            {s.providers.map((p) => (
              <div key={p.name} className="rounded-md border border-line px-3 py-2">
                <div className="font-medium">
                  {p.name} {p.default && <span className="font-normal text-muted">(default)</span>}
                </div>
                <p className={/^(none|unsafe)/.test(p.isolation?.tier ?? "none") ? "text-red" : "text-muted"}>
                  {p.isolation ? `${p.isolation.tier}: ${p.isolation.statement}` : p.kind}
                </p>
              </div>
            ))}
          </section>
          {s.limits && Object.keys(s.limits).length > 0 && (
            <section className="flex flex-col gap-1">
              <h3 className="font-semibold">Limits</h3>
              <Rows
                rows={Object.entries(s.limits).map(([k, v]) => [
                  k,
                  typeof v === "object" ? JSON.stringify(v) : String(v),
                ])}
              />
            </section>
          )}
          <div className="flex items-center gap-1 text-muted">
            <Copy text={() => `${JSON.stringify(s, null, 2)}\n`} label="Copy for a bug report" />
            Copy for a bug report
          </div>
        </div>
      )}
    </Dialog>
  );
}

const warningText = (w: NonNullable<System["warnings"]>[number]) =>
  typeof w === "string" ? w : (w.message ?? w.text ?? JSON.stringify(w));

function rowsOf(s: System, connection: string): [string, string][] {
  const rows: [string, string | undefined][] = [
    ["Version", [s.version, s.commit].filter(Boolean).join(", ")],
    ["Node", s.node],
    ["Started", s.started_at && exact(s.started_at)],
    ["Connection", connection],
    ["Store", `${s.store.kind}, ${s.store.ok ? "answers" : "does not answer"}`],
    ["Generation", s.generation?.toString()],
    ["Engine", [s.goose?.engine, s.goose?.version].filter(Boolean).join(" ")],
    ["Model", s.goose?.model && (s.goose.model.demo ? "demo model" : s.goose.model.name)],
  ];
  return rows.filter((r): r is [string, string] => !!r[1]);
}

function Rows({ rows }: { rows: [string, string][] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
      {rows.map(([k, v]) => (
        <div key={k} className="contents">
          <dt className="text-muted">{k}</dt>
          <dd className="tnum min-w-0 break-words">{v}</dd>
        </div>
      ))}
    </dl>
  );
}
