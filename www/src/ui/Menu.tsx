// The acts on a thing, as data, shown by a button's menu or by a right-click: the same list in both.
// SPDX-License-Identifier: Apache-2.0
import { ContextMenu, DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface Act {
  label: string;
  run(): void;
  icon?: ReactNode;
  keys?: string;
  danger?: boolean;
  /** A line above it: another kind of act begins. */
  apart?: boolean;
  blocked?: string;
}

/** A menu is drawn inside the main landmark: a screen reader finds it where the page is. */
const landmark = () => document.querySelector("main");

const panel = "z-50 min-w-48 rounded-md border border-line bg-raised p-1 shadow-lg";
const row = ({ danger, apart }: Act) =>
  cn(
    "flex h-8 cursor-default items-center gap-2 rounded px-2 outline-none select-none max-sm:h-10",
    "data-[highlighted]:bg-hover data-[disabled]:text-muted data-[disabled]:opacity-70",
    danger && "text-red",
    apart && "mt-1 rounded-t-none border-line border-t pt-1",
  );

function Body({ act }: { act: Act }) {
  return (
    <>
      <span className="w-4">{act.icon}</span>
      <span className="grow">{act.label}</span>
      {act.keys && <kbd className="font-mono text-muted text-xs">{act.keys}</kbd>}
    </>
  );
}

interface MenuProps {
  acts: Act[];
  children: ReactNode;
  label: string;
  align?: "start" | "end";
}

export function Menu({ acts, children, label, align = "end" }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{children}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={landmark()}>
        <DropdownMenu.Content className={panel} align={align} sideOffset={4} aria-label={label}>
          {acts.map((act) => (
            <DropdownMenu.Item
              key={act.label}
              className={row(act)}
              disabled={act.blocked !== undefined}
              title={act.blocked}
              onSelect={() => setTimeout(act.run)}
            >
              <Body act={act} />
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function RightClick({ acts, children }: { acts: Act[]; children: ReactNode }) {
  return (
    <ContextMenu.Root modal={false}>
      <ContextMenu.Trigger asChild>{children}</ContextMenu.Trigger>
      <ContextMenu.Portal container={landmark()}>
        <ContextMenu.Content className={panel}>
          {acts.map((act) => (
            <ContextMenu.Item
              key={act.label}
              className={row(act)}
              disabled={act.blocked !== undefined}
              onSelect={() => setTimeout(act.run)}
            >
              <Body act={act} />
            </ContextMenu.Item>
          ))}
        </ContextMenu.Content>
      </ContextMenu.Portal>
    </ContextMenu.Root>
  );
}
