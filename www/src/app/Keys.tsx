// The page's keys, and the two layers they open: the palette and the list of keys.
// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useAway, useProjects } from "@/api/hooks";
import { useDialogs } from "@/features/projects/acts";
import { paths } from "@/lib/session";
import { Dialog } from "@/ui/Dialog";
import { onPalette } from "./palette";

const Palette = lazy(() => import("./Palette"));

const LIST = [
  ["Ctrl K", "Find a project, a chat, a policy or an act"],
  ["/", "Filter the projects"],
  ["j  k", "Next, previous project"],
  ["Enter", "Open"],
  ["a", "Activate, cancel, deactivate or retry: asks first"],
  ["g c", "Chat"],
  ["g l", "Logs"],
  ["g a", "Activity"],
  ["g s", "Settings"],
  ["g p", "Policies"],
  ["1 to 4", "Answer the agent's question"],
  ["Escape", "Cancel the run; close a layer"],
  ["?", "This list"],
];
const TABS: Record<string, string> = { c: "chat", l: "logs", a: "activity", s: "settings" };

function isTyping(e: KeyboardEvent): boolean {
  return !!(e.target as HTMLElement).closest(
    "input,textarea,select,[contenteditable=true],[role=dialog],[role=menu]",
  );
}

function step(by: number): void {
  const rows = [...document.querySelectorAll<HTMLAnchorElement>("[data-project-rows] a")];
  const at = rows.findIndex((r) => r === document.activeElement || r.getAttribute("aria-current") === "page");
  const focused = rows.indexOf(document.activeElement as HTMLAnchorElement);
  rows[Math.min(rows.length - 1, Math.max(0, (focused >= 0 ? focused : at) + by))]?.focus();
}

export function Keys({ user, project }: { user: string; project?: string }) {
  const [, go] = useLocation();
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const g = useRef(0);
  const projects = useProjects(user);
  const open = useDialogs();
  const away = useAway();
  const ask = useRef(() => {});
  ask.current = () => {
    // The row that has the focus goes before the project that is open.
    const row = document.activeElement?.closest<HTMLElement>("[data-project]")?.dataset.project;
    const target = projects.data?.find((p) => p.id === (row ?? project));
    if (target && !away) open({ kind: "ask", project: target });
  };
  useEffect(() => onPalette(() => setPalette(true)), []);
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
        e.preventDefault();
        setPalette((v) => !v);
        return;
      }
      if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isTyping(e)) return;
      if (Date.now() - g.current < 1500) {
        g.current = 0;
        if (e.key === "p") return go("/policies");
        const tab = TABS[e.key];
        if (tab && project) return go(paths.project(user, project, tab));
      }
      switch (e.key) {
        case "g":
          g.current = Date.now();
          break;
        case "/":
          e.preventDefault();
          document.getElementById("project-filter")?.focus();
          break;
        case "j":
          step(1);
          break;
        case "k":
          step(-1);
          break;
        case "a":
          ask.current();
          break;
        case "?":
          setHelp(true);
          break;
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [go, user, project]);
  return (
    <>
      {palette && (
        <Suspense>
          <Palette user={user} onClose={() => setPalette(false)} />
        </Suspense>
      )}
      <Dialog open={help} onOpenChange={setHelp} title="Keys">
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
          {LIST.map(([key, says]) => (
            <div key={key} className="contents">
              <dt>
                <kbd className="rounded border border-line bg-panel px-1.5 py-0.5 font-mono text-xs">
                  {key}
                </kbd>
              </dt>
              <dd>{says}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </>
  );
}
