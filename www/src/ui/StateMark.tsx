// A project's state by shape, colour and word: never by colour alone.
// SPDX-License-Identifier: Apache-2.0
import type { Project } from "@/api/schema";
import { cn } from "@/lib/cn";

const LOOK = {
  inactive: { word: "Inactive", tone: "text-grey", soft: "bg-hover" },
  queued: { word: "Queued", tone: "text-amber", soft: "bg-amber-soft" },
  creating: { word: "Creating", tone: "text-blue", soft: "bg-blue-soft" },
  active: { word: "Active", tone: "text-green", soft: "bg-green-soft" },
  stopping: { word: "Stopping", tone: "text-amber", soft: "bg-amber-soft" },
  error: { word: "Error", tone: "text-red", soft: "bg-red-soft" },
} as const;

const look = (p: Pick<Project, "state" | "queue">) => LOOK[p.queue ? "queued" : p.state] ?? LOOK.inactive;

function Shape({ kind, still }: { kind: keyof typeof LOOK; still?: boolean }) {
  switch (kind) {
    case "active":
      return <circle cx="7" cy="7" r="4.500" fill="currentColor" />;
    case "creating":
      return (
        <g className={still ? undefined : "spin-slow"}>
          <circle
            cx="7"
            cy="7"
            r="4.750"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.500"
            opacity="0.350"
          />
          <path d="M7 2.250A4.750 4.750 0 0 1 11.750 7" fill="none" stroke="currentColor" strokeWidth="2" />
        </g>
      );
    case "queued":
      return (
        <g fill="none" stroke="currentColor" strokeWidth="1.500">
          <circle cx="7" cy="7" r="4.750" />
          <path d="M7 4.200V7l1.800 1.200" />
        </g>
      );
    case "stopping":
      return (
        <rect x="3" y="3" width="8" height="8" rx="1.500" fill="none" stroke="currentColor" strokeWidth="2" />
      );
    case "error":
      return <path d="M7 1.800 13 12H1z" fill="currentColor" />;
    default:
      return <circle cx="7" cy="7" r="4.250" fill="none" stroke="currentColor" strokeWidth="1.500" />;
  }
}

export function StateIcon({
  project,
  still,
  className,
}: {
  project: Pick<Project, "state" | "queue">;
  /** Of the past: nothing moves. */
  still?: boolean;
  className?: string;
}) {
  const kind = project.queue ? "queued" : project.state;
  return (
    <svg
      viewBox="0 0 14 14"
      className={cn("size-3.5 shrink-0", look(project).tone, className)}
      aria-hidden="true"
    >
      <Shape kind={kind} still={still} />
    </svg>
  );
}

export const stateWord = (p: Pick<Project, "state" | "queue">) => look(p).word;

export function StateBadge({ project }: { project: Pick<Project, "state" | "queue"> }) {
  const { word, tone, soft } = look(project);
  return (
    <span
      className={cn("inline-flex h-6 items-center gap-1.5 rounded-full px-2 font-medium text-sm", tone, soft)}
    >
      <StateIcon project={project} />
      {word}
    </span>
  );
}
