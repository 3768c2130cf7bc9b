// Two views side by side; the width is remembered.
// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";
import { useRemembered } from "@/lib/storage";

export default function SideBySide({ left, right }: { left: ReactNode; right: ReactNode }) {
  const [size, setSize] = useRemembered("split.size", "58");
  return (
    <Group
      orientation="horizontal"
      className="min-h-0 grow"
      onLayoutChanged={(layout) => layout.left && setSize(String(Math.round(layout.left)))}
    >
      <Panel id="left" defaultSize={`${size}%`} minSize="30%" className="@container flex min-h-0 flex-col">
        {left}
      </Panel>
      <Separator className="w-1 bg-line hover:bg-accent" aria-label="Width of the left side" />
      <Panel id="right" minSize="20%" className="@container flex min-h-0 flex-col">
        {right}
      </Panel>
    </Group>
  );
}
