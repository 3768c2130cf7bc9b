// Messages to send with one click: the steps of the demo's tour, or a few to begin a chat with the demo model.
// SPDX-License-Identifier: Apache-2.0
import { Check, X } from "lucide-react";
import { Link } from "wouter";
import type { Project } from "@/api/schema";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { useRemembered } from "@/lib/storage";
import { stepOf, TOUR, tourKey } from "@/lib/tour";
import { Button } from "@/ui/Button";

interface Props {
  project: Project;
  /** Why a message cannot be sent just now. */
  blocked?: string;
  onSend(text: string): void;
}

export function Chip({
  text,
  done,
  next,
  blocked,
  onClick,
}: {
  text: string;
  done?: boolean;
  next?: boolean;
  blocked?: string;
  onClick(): void;
}) {
  return (
    <button
      type="button"
      disabled={blocked !== undefined}
      title={blocked}
      onClick={onClick}
      className={cn(
        "inline-flex min-h-7 items-center gap-1 rounded-full border px-3 text-left text-sm hover:bg-hover disabled:opacity-60 max-sm:min-h-10",
        next ? "border-accent font-medium text-accent" : "border-line text-muted",
      )}
    >
      {done && <Check size={14} aria-label="said" className="text-green" />}
      {text}
    </button>
  );
}

/** The tour of a demo project, above the composer; nothing in a project that has none. */
export function Tour({ project: p, blocked, onSend }: Props) {
  const [stored, setStored] = useRemembered(tourKey(p.id), "");
  const at = stepOf(stored);
  if (at === undefined) return null;
  // While the agent works on a step, its sentence stays: it says what to do with the question that comes.
  const told = blocked !== undefined && at > 0 ? at - 1 : at;
  const step = TOUR[told];
  return (
    <aside aria-label="Tour" className="border-line border-t bg-panel px-4 py-2 max-sm:px-3">
      <div className="mx-auto flex max-w-3xl flex-col gap-2">
        <div className="flex items-start gap-2">
          <p className="min-w-0 grow" aria-live="polite">
            {step ? (
              <>
                <span className="tnum font-medium">
                  Tour, {told + 1} of {TOUR.length}.
                </span>{" "}
                {step.so}
              </>
            ) : (
              <>
                <span className="font-medium">That was the tour.</span>{" "}
                <Link href={paths.project(p.user_id, p.id, "activity")} className="text-accent underline">
                  Activity
                </Link>{" "}
                says which rule let it run, and{" "}
                <Link
                  href={paths.policy("policies/idle/after_minutes.lua")}
                  className="text-accent underline"
                >
                  a rule
                </Link>{" "}
                is changed while everything runs.
              </>
            )}
          </p>
          <Button
            kind="quiet"
            size="small"
            className="-my-1 shrink-0"
            aria-label="End the tour"
            title="End the tour"
            onClick={() => setStored("")}
          >
            <X size={14} aria-hidden />
          </Button>
        </div>
        <div className="flex flex-wrap gap-1.5">
          {TOUR.map((s, i) => (
            <Chip
              key={s.say}
              text={s.say}
              done={i < at && i !== told}
              next={i === told}
              blocked={blocked}
              onClick={() => {
                if (i >= at) setStored(String(i + 1));
                onSend(s.say);
              }}
            />
          ))}
        </div>
      </div>
    </aside>
  );
}
