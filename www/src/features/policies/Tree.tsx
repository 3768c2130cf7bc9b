// The scripts by folder, each with what it says it does. Policies and cleanup rules come first: they can be changed here.
// SPDX-License-Identifier: Apache-2.0
import { Link } from "wouter";
import { useScripts } from "@/api/hooks";
import type { ScriptInfo } from "@/api/schema";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { Bones, ErrorNote } from "@/ui/Notes";

export const canWrite = (file: string) => /^(policies|cleanup)\//.test(file);

function byFolder(items: ScriptInfo[]): [string, ScriptInfo[]][] {
  const folders = new Map<string, ScriptInfo[]>();
  for (const s of items) {
    const folder = s.path.includes("/") ? s.path.slice(0, s.path.lastIndexOf("/")) : "";
    folders.set(folder, [...(folders.get(folder) ?? []), s]);
  }
  const rank = (f: string) => (f.startsWith("policies") ? 0 : f.startsWith("cleanup") ? 1 : 2);
  return [...folders].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

export function Tree({ current, onPick }: { current: string; onPick?(): void }) {
  const scripts = useScripts();
  if (scripts.isPending) return <Bones lines={8} />;
  if (!scripts.data) return <ErrorNote error={scripts.error} className="m-3" />;
  const bad = scripts.data.error?.file;
  return (
    <nav aria-label="Scripts" className="flex flex-col gap-3 p-2">
      {byFolder(scripts.data.items).map(([folder, items]) => (
        <section key={folder} aria-label={folder || "scripts"}>
          <h2 className="px-2 pb-0.5 font-mono text-muted text-xs">{folder || "scripts"}/</h2>
          <ul>
            {items.map((s) => (
              <li key={s.path}>
                <Link
                  href={paths.policy(s.path)}
                  onClick={onPick}
                  aria-current={s.path === current ? "page" : undefined}
                  className={cn(
                    "block rounded-md px-2 py-1 hover:bg-hover max-sm:py-2.5",
                    s.path === current && "bg-active",
                  )}
                >
                  <span className={cn("block truncate font-mono text-sm", s.path === bad && "text-red")}>
                    {s.path.slice(folder.length ? folder.length + 1 : 0)}
                    {s.path === bad && <span className="sr-only"> (broken)</span>}
                  </span>
                  {s.doc && <span className="block truncate text-muted text-xs">{s.doc}</span>}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
