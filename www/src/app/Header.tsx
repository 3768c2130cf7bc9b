// The header: who is at the screen, whether the host is heard, and what is in force.
// SPDX-License-Identifier: Apache-2.0
import { Moon, Search, Sun } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import { dangers, useStream, useSystem } from "@/api/hooks";
import type { System } from "@/api/schema";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { openPalette } from "./palette";
import { UserMenu } from "./UserMenu";

const SystemDialog = lazy(() => import("@/features/system/SystemDialog"));

export function Header({ user, theme, turn }: { user: string; theme: "light" | "dark"; turn(): void }) {
  const system = useSystem();
  const [open, setOpen] = useState(false);
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-line border-b bg-panel px-3">
      <Link
        href={user ? paths.user(user) : "/"}
        className="flex items-center gap-2 rounded px-1 font-semibold"
        aria-label="Gander, home"
      >
        <img src="/favicon.svg" alt="" width={20} height={20} />
        <span className="max-sm:hidden">Gander</span>
      </Link>
      <UserMenu user={user} />
      <button
        type="button"
        onClick={() => openPalette()}
        className="mx-auto flex h-8 w-72 max-xl:w-52 items-center gap-2 rounded-md border border-line bg-bg px-2 text-muted text-sm hover:border-edge max-lg:w-auto max-sm:h-10"
        aria-label="Search or act"
        title="Ctrl+K"
      >
        <Search size={14} aria-hidden />
        <span className="grow text-left max-lg:hidden">Search or act</span>
        <kbd className="font-mono text-xs max-lg:hidden">{isMac ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <Live />
      <button
        type="button"
        onClick={() => setOpen(true)}
        aria-label="System: what is in force"
        className="flex h-8 min-w-0 items-center gap-2 rounded-md px-2 text-muted text-sm hover:bg-hover max-sm:h-10"
      >
        {system.data ? <Chips system={system.data} /> : <span>System</span>}
      </button>
      <Button
        kind="quiet"
        size="icon"
        onClick={turn}
        aria-label={theme === "dark" ? "Light theme" : "Dark theme"}
      >
        {theme === "dark" ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
      </Button>
      {open && (
        <Suspense>
          <SystemDialog open onOpenChange={setOpen} />
        </Suspense>
      )}
    </header>
  );
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

function Live() {
  const { status } = useStream();
  const words = { live: "live", opening: "connecting", away: "away", paused: "paused" }[status];
  const tone = { live: "text-green", opening: "text-muted", away: "text-red", paused: "text-amber" }[status];
  return (
    <span role="status" className={cn("flex shrink-0 items-center gap-1 text-sm", tone)}>
      <svg viewBox="0 0 10 10" className="size-2.5" aria-hidden="true">
        {status === "live" ? (
          <circle cx="5" cy="5" r="4" fill="currentColor" />
        ) : (
          <circle cx="5" cy="5" r="3.500" fill="none" stroke="currentColor" strokeWidth="1.500" />
        )}
      </svg>
      <span className="max-sm:sr-only">{words}</span>
    </span>
  );
}

/** Store, provider and its isolation, engine and model, in a few words; red where nothing isolates or anyone can ask. */
function Chips({ system: s }: { system: System }) {
  const provider = s.providers.find((p) => p.default) ?? s.providers[0];
  const danger = dangers(s);
  const open = danger.open || danger.bare;
  const model = s.goose?.model?.demo ? "demo model" : s.goose?.model?.name;
  const chips = [
    { text: s.store.kind, bad: !s.store.ok, wide: true },
    { text: [provider?.name, provider?.isolation?.tier].filter(Boolean).join(" · "), bad: open, wide: false },
    { text: [s.goose?.engine, s.goose?.version].filter(Boolean).join(" "), bad: false, wide: true },
    { text: model ?? "", bad: false, wide: false },
  ].filter((c) => c.text);
  return (
    <>
      {(open || !s.store.ok) && <span className="text-red lg:hidden">Unsafe</span>}
      {!open && <span className="lg:hidden">System</span>}
      <span className="hidden items-center gap-2 lg:flex">
        {chips.map((c, i) => (
          <span
            key={c.text}
            className={cn("whitespace-nowrap", c.wide && "max-xl:hidden", c.bad && "font-medium text-red")}
          >
            {i > 0 && <span className={cn("mr-2 text-muted", i === 1 && "max-xl:hidden")}>/</span>}
            {c.text}
          </span>
        ))}
        {danger.open && <span className="whitespace-nowrap font-medium text-red">open to the network</span>}
      </span>
    </>
  );
}
